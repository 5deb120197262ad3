-- The proof beside the events. Rows here are only ever added.

create table antbot.identity (
  one bool not null default true primary key check (one),
  store_id uuid not null
);

insert into antbot.identity (store_id) values (gen_random_uuid());

-- What the first link follows: the same hash as ChainLink.Genesis.
create function antbot.genesis() returns bytea language sql stable as $$
  select sha256('antbot:ledger:01'::bytea || uuid_send(i.store_id)) from antbot.identity i
$$;

create table antbot.ledger (
  position bigint not null constraint pk_ledger primary key,
  seq_id bigint not null,
  event_id uuid not null constraint uq_ledger_event_id unique,
  correlation_id varchar null,
  prev_hash bytea not null,
  hash bytea not null,
  is_foreign bool not null
);

-- Only equality is ever asked, and a hash index costs an append about half of what a tree does.
create index ix_ledger_correlation_id on antbot.ledger using hash (correlation_id);

create table antbot.checkpoints (
  position bigint not null constraint pk_checkpoints primary key,
  seq_id bigint not null,
  hash bytea not null,
  at timestamptz not null,
  previous bytea not null,
  key_id varchar not null,
  signature bytea not null
);

create table antbot.snapshots (
  stream_id varchar not null,
  name varchar not null,
  version bigint not null,
  state jsonb not null,
  hash bytea not null,
  constraint pk_snapshots primary key (stream_id, name)
);
