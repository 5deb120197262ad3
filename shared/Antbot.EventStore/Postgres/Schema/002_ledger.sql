-- The proof beside the events. Rows here are only ever added.

create table antbot.identity (
  one bool not null default true primary key check (one),
  store_id uuid not null,
  genesis bytea not null
);

-- The same hash as ChainLink.Genesis.
insert into antbot.identity (store_id, genesis)
  select n.id, sha256('antbot:ledger:01'::bytea || uuid_send(n.id)) from (select gen_random_uuid() as id) n;

create table antbot.ledger (
  position bigint not null constraint pk_ledger primary key,
  seq_id bigint not null,
  event_id uuid not null constraint uq_ledger_event_id unique,
  correlation_id varchar null,
  prev_hash bytea not null,
  hash bytea not null,
  is_foreign bool not null
);

create index ix_ledger_correlation_id on antbot.ledger (correlation_id) where correlation_id is not null;

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
