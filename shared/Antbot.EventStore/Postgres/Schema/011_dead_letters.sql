-- Bodies that are too large for an event, by their hash, which holds from the first moment on. Added, never changed.
create table antbot.blob (
  sha256 bytea not null constraint pk_blob primary key,
  body bytea not null,
  constraint ck_blob_sha256 check (sha256 = pg_catalog.sha256(body))
);

-- Read models of what nobody could work on, as those of 008, with what it is searched by.
create table antbot.dead_letters (
  id varchar not null constraint pk_dead_letters primary key,
  sequence bigint not null,
  trade varchar null,
  account varchar null,
  symbol varchar null,
  state varchar not null,
  at timestamptz not null,
  changed_at timestamptz not null,
  document jsonb not null,
  endpoint varchar null,
  message_type varchar null,
  fingerprint varchar null
);

create index ix_dead_letters_at on antbot.dead_letters (at desc, id desc);
create index ix_dead_letters_state on antbot.dead_letters (state, at desc, id desc);
create index ix_dead_letters_endpoint on antbot.dead_letters (endpoint, at desc, id desc);
create index ix_dead_letters_message_type on antbot.dead_letters (message_type, at desc, id desc);
create index ix_dead_letters_fingerprint on antbot.dead_letters (fingerprint, at desc, id desc);
create index ix_dead_letters_trade on antbot.dead_letters (trade) where trade is not null;

create table antbot.dead_letter_groups (
  id varchar not null constraint pk_dead_letter_groups primary key,
  sequence bigint not null,
  trade varchar null,
  account varchar null,
  symbol varchar null,
  state varchar not null,
  at timestamptz not null,
  changed_at timestamptz not null,
  document jsonb not null,
  endpoint varchar null,
  message_type varchar null
);

create index ix_dead_letter_groups_at on antbot.dead_letter_groups (at desc, id desc);
create index ix_dead_letter_groups_state on antbot.dead_letter_groups (state, at desc, id desc);
