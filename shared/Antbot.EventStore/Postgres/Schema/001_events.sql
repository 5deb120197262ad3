-- Marten's own tables, so that a real Marten opens, reads, projects and appends here.
-- Nothing of ours may be added to them: Marten's migration drops columns and indexes that it does not know.

create sequence if not exists public.mt_events_sequence;

create table if not exists public.mt_streams (
  id varchar not null constraint pkey_mt_streams_id primary key,
  type varchar null,
  version bigint not null,
  timestamp timestamptz not null default now(),
  created timestamptz not null default now(),
  tenant_id varchar default '*DEFAULT*',
  is_archived bool default false
);

create table if not exists public.mt_events (
  seq_id bigint not null constraint pkey_mt_events_seq_id primary key,
  id uuid not null,
  stream_id varchar null constraint fkey_mt_events_stream_id references public.mt_streams (id) on delete cascade,
  version bigint not null,
  data jsonb not null,
  bdata bytea null,
  type varchar(500) not null,
  timestamp timestamptz not null default now(),
  tenant_id varchar default '*DEFAULT*',
  mt_dotnet_type varchar null,
  correlation_id varchar null,
  causation_id varchar null,
  headers jsonb null,
  user_name varchar null,
  is_archived bool default false
);

create unique index if not exists pk_mt_events_stream_and_version on public.mt_events (stream_id, version);

alter sequence public.mt_events_sequence owned by public.mt_events.seq_id;

create table if not exists public.mt_event_progression (
  name varchar not null constraint pk_mt_event_progression primary key,
  last_seq_id bigint null,
  last_updated timestamptz null default now()
);
