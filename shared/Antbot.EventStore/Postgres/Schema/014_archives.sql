-- Streams that are over and old go to a file. Their links stay, and of each event what its link's proof needs: its version and the hash of its content.
create table antbot.archives (
  number int not null generated always as identity constraint pk_archives primary key,
  name varchar not null constraint uq_archives_name unique,
  events bigint not null
);

create table antbot.archived_streams (
  stream_id varchar not null constraint pk_archived_streams primary key,
  archive int not null,
  version bigint not null
);

create table antbot.archived (
  seq_id bigint not null constraint pk_archived primary key,
  position bigint not null,
  version bigint not null,
  archive int not null,
  content bytea not null
);

-- Only the owner has the rights that this takes.
create function antbot.take_out_batch(
  p_archive varchar, p_record bigint, p_record_stream varchar, p_record_type varchar, p_stream varchar[], p_version bigint[], p_seq bigint[], p_content bytea[],
  out r_moved varchar[], -- streams that have moved on or are archived: then nothing was done
  out r_wrong varchar,   -- why nothing was done else: no_record, events, content
  out r_position bigint  -- of the event whose content is wrong
) language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  the_archive int;
begin
  perform pg_advisory_xact_lock(antbot.append_lock());
  select coalesce(array_agg(u.id order by u.id), '{}') into r_moved
    from unnest(p_stream, p_version) u (id, version) left join public.mt_streams s on s.id = u.id
    where s.version is distinct from u.version or s.is_archived is distinct from false;
  if cardinality(r_moved) > 0 then
    return;
  end if;
  if not exists (select from public.mt_events e join antbot.ledger l on l.event_id = e.id and l.seq_id = e.seq_id
      where e.seq_id = p_record and e.stream_id = p_record_stream and e.type = p_record_type) then
    r_wrong := 'no_record';
    return;
  end if;
  if (select count(*) from unnest(p_stream) u (id) join public.mt_events e on e.stream_id = u.id) <> cardinality(p_seq)
      or (select count(distinct e.seq_id) from unnest(p_seq) u (seq) join public.mt_events e on e.seq_id = u.seq
        join antbot.ledger l on l.event_id = e.id and l.seq_id = e.seq_id where e.stream_id = any (p_stream)) <> cardinality(p_seq) then
    r_wrong := 'events';
    return;
  end if;
  select min(l.position) into r_position
    from unnest(p_seq, p_content) u (seq, content) join public.mt_events e on e.seq_id = u.seq join antbot.ledger l on l.event_id = e.id
    where sha256(l.prev_hash || u.content || int8send(l.position) || int8send(l.seq_id) || int8send(e.version) || case when l.is_foreign then '\x01'::bytea else '\x00'::bytea end) <> l.hash;
  if r_position is not null then
    r_wrong := 'content';
    return;
  end if;

  insert into antbot.archives as a (name, events) values (p_archive, cardinality(p_seq))
    on conflict (name) do update set events = a.events + excluded.events
    returning a.number into the_archive;
  insert into antbot.archived (seq_id, position, version, archive, content)
    select u.seq, l.position, e.version, the_archive, u.content
    from unnest(p_seq, p_content) u (seq, content) join public.mt_events e on e.seq_id = u.seq join antbot.ledger l on l.event_id = e.id;
  insert into antbot.archived_streams (stream_id, archive, version) select u.id, the_archive, u.version from unnest(p_stream, p_version) u (id, version);
  delete from public.mt_events e where e.seq_id = any (p_seq);
  delete from antbot.snapshots s where s.stream_id = any (p_stream);
  update public.mt_streams s set is_archived = true where s.id = any (p_stream);
end $$;

-- The commit is inside, as in antbot.append.
create procedure antbot.take_out(
  varchar, bigint, varchar, varchar, varchar[], bigint[], bigint[], bytea[], inout r_moved varchar[], inout r_wrong varchar, inout r_position bigint
) language plpgsql as $$
begin
  select t.r_moved, t.r_wrong, t.r_position into r_moved, r_wrong, r_position from antbot.take_out_batch($1, $2, $3, $4, $5, $6, $7, $8) t;
  commit;
end $$;

-- As in 007, and an append to a stream that is archived is refused: status 4.
create or replace function antbot.append_batch(
  p_streams varchar[], p_lane int[], p_expected bigint[], p_offset int[], p_count int[],
  p_guard_append int[], p_guard_lane int[], p_guard_expected bigint[],
  p_at timestamptz[], p_correlation varchar[], p_causation varchar[], p_actor varchar[], p_headers jsonb[],
  p_id uuid[], p_type varchar[], p_clr varchar[], p_data jsonb[], p_content bytea[]
) returns antbot.append_result
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set plan_cache_mode = force_generic_plan
as $$
declare
  done bool;
  there bool[];
  heads bigint[];
  archived bool[];
  was bigint[];
  touched timestamptz[] := array_fill(null::timestamptz, array[cardinality(p_streams)]);
  made timestamptz[] := touched;
  status smallint[] := array_fill(0::smallint, array[cardinality(p_lane)]);
  answer bigint[] := array_fill(0::bigint, array[cardinality(p_lane)]);
  blocker int[] := p_lane;
  owner int[] := array_fill(0, array[cardinality(p_id)]);
  seqs bigint[] := array_fill(null::bigint, array[cardinality(p_id)]);
  versions bigint[] := seqs;
  positions bigint[] := seqs;
  prevs bytea[] := array_fill(null::bytea, array[cardinality(p_id)]);
  hashes bytea[] := prevs;
  first_position bigint;
  pos bigint;
  seq bigint;
  head bigint;
  link bytea;
  guards int := cardinality(p_guard_append);
  g int := 1;
  l int;
  bad int;
begin
  -- As an expression: a `perform` would start an executor for it.
  done := pg_advisory_xact_lock(antbot.append_lock()) is null;

  select array_agg(x.event_id is not null order by u.n) into there
    from unnest(p_offset) with ordinality u (o, n) left join antbot.ledger x on x.event_id = p_id[u.o];
  select array_agg(coalesce(s.version, 0) order by u.n), array_agg(coalesce(s.is_archived, false) order by u.n) into heads, archived
    from unnest(p_streams) with ordinality u (id, n) left join public.mt_streams s on s.id = u.id;
  select x.position, x.hash into pos, link from antbot.ledger x order by x.position desc limit 1;
  if not found then
    select 0, antbot.genesis() into pos, link;
  end if;
  first_position := pos;
  was := heads;

  for a in 1 .. cardinality(p_lane) loop
    l := p_lane[a];
    head := heads[l];
    bad := 0;
    while g <= guards and p_guard_append[g] = a loop
      if bad = 0 and p_guard_expected[g] >= 0 and heads[p_guard_lane[g]] <> p_guard_expected[g] then
        bad := g;
      end if;
      g := g + 1;
    end loop;
    if there[a] then
      status[a] := 1;
    elsif bad > 0 then
      status[a] := 3;
      blocker[a] := p_guard_lane[bad];
      answer[a] := heads[p_guard_lane[bad]];
    elsif archived[l] then
      status[a] := 4;
    elsif p_expected[a] < -1 and (a = 1 or status[a - 1] <> 0) then
      status[a] := 2;
      answer[a] := -1;
    elsif (p_expected[a] >= 0 and head <> p_expected[a]) or (p_expected[a] < -1 and head <> -2 - p_expected[a]) then
      status[a] := 2;
      answer[a] := head;
    else
      answer[a] := head + 1;
      if head = 0 then
        made[l] := p_at[a];
      end if;
      touched[l] := p_at[a];
      for e in p_offset[a] .. p_offset[a] + p_count[a] - 1 loop
        head := head + 1;
        pos := pos + 1;
        seq := nextval('public.mt_events_sequence');
        owner[e] := a;
        versions[e] := head;
        seqs[e] := seq;
        positions[e] := pos;
        prevs[e] := link;
        link := sha256(link || p_content[e] || int8send(pos) || int8send(seq) || int8send(head) || '\x00'::bytea);
        hashes[e] := link;
      end loop;
      heads[l] := head;
    end if;
  end loop;

  if pos > first_position then
    insert into public.mt_streams (id, type, version, timestamp, created, tenant_id, is_archived)
      select u.id, null, u.head, u.touched, coalesce(u.made, u.touched), '*DEFAULT*', false
      from unnest(p_streams, heads, was, touched, made) u (id, head, was, touched, made)
      where u.head > u.was
      on conflict (id) do update set version = excluded.version, timestamp = excluded.timestamp;
    insert into public.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type,
        correlation_id, causation_id, headers, user_name, is_archived)
      select u.seq, u.id, p_streams[p_lane[u.a]], u.version, u.data, u.type, p_at[u.a], '*DEFAULT*', u.clr,
        p_correlation[u.a], p_causation[u.a], p_headers[u.a], p_actor[u.a], false
      from unnest(seqs, p_id, owner, versions, p_data, p_type, p_clr) u (seq, id, a, version, data, type, clr)
      where u.seq is not null;
    insert into antbot.ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign)
      select u.position, u.seq, u.id, p_correlation[u.a], u.prev, u.hash, false
      from unnest(positions, seqs, p_id, owner, prevs, hashes) u (position, seq, id, a, prev, hash)
      where u.position is not null;
    done := pg_notify('antbot_events', pos::text) is null;
  end if;
  return (status, answer, blocker, seqs, first_position)::antbot.append_result;
end $$;
