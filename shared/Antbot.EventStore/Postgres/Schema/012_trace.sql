-- Read models of where ids stand, as those of 008: the events that name a trade, an order or a message from outside of its chain, and what people did.
create table antbot.mentions (
  id varchar not null constraint pk_mentions primary key,
  sequence bigint not null,
  trade varchar null,
  account varchar null,
  symbol varchar null,
  state varchar not null,
  at timestamptz not null,
  changed_at timestamptz not null,
  document jsonb not null
);

create table antbot.actions (
  id varchar not null constraint pk_actions primary key,
  sequence bigint not null,
  trade varchar null,
  account varchar null,
  symbol varchar null,
  state varchar not null,
  at timestamptz not null,
  changed_at timestamptz not null,
  document jsonb not null,
  actor varchar null
);

create index ix_actions_actor on antbot.actions (actor, at desc, id desc);

-- What was open in a symbol at a time.
create index ix_trades_symbol on antbot.trades (symbol, at desc, id desc);
