-- Read models: derived from the events and thrown away at will. What is searched for are columns, the whole is a document; the place in history
-- that they stand for is a row of mt_event_progression, written in the same transaction.
do $$
declare
  name text;
begin
  foreach name in array array['trades', 'orders', 'positions', 'processes', 'summaries'] loop
    execute format($t$
      create table antbot.%1$I (
        id varchar not null constraint %2$I primary key,
        sequence bigint not null,
        trade varchar null,
        account varchar null,
        symbol varchar null,
        state varchar not null,
        at timestamptz not null,
        changed_at timestamptz not null,
        document jsonb not null
      )$t$, name, 'pk_' || name);
    execute format('create index %I on antbot.%I (at desc, id desc)', 'ix_' || name || '_at', name);
    execute format('create index %I on antbot.%I (state, at desc, id desc)', 'ix_' || name || '_state', name);
  end loop;
end $$;

create index ix_orders_trade on antbot.orders (trade);
