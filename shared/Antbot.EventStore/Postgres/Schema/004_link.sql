-- Linking rows that are in mt_events before they are in the chain: what somebody else appended (the sealer adopts it), and what an
-- engine appends through a real Marten, in the same transaction. The link is the one that antbot.append_batch makes.

create function antbot.chain_batch(p_seq bigint[], p_content bytea[], p_foreign bool) returns int
language plpgsql as $$
declare
  e record;
  pos bigint;
  link bytea;
  next bytea;
  mark bytea := case when p_foreign then '\x01'::bytea else '\x00'::bytea end;
  linked int := 0;
begin
  perform pg_advisory_xact_lock(antbot.append_lock());
  select x.position, x.hash into pos, link from antbot.ledger x order by x.position desc limit 1;
  if not found then
    select 0, antbot.genesis() into pos, link;
  end if;
  for e in
    select v.seq_id, v.id, v.version, v.correlation_id, u.content
    from unnest(p_seq, p_content) with ordinality u (seq, content, n)
    join public.mt_events v on v.seq_id = u.seq
    where not exists (select from antbot.ledger x where x.event_id = v.id)
    order by u.n
  loop
    pos := pos + 1;
    next := sha256(link || e.content || int8send(pos) || int8send(e.seq_id) || int8send(e.version) || mark);
    insert into antbot.ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign)
      values (pos, e.seq_id, e.id, e.correlation_id, link, next, p_foreign);
    link := next;
    linked := linked + 1;
  end loop;
  if linked > 0 then
    perform pg_notify('antbot_events', pos::text);
  end if;
  return linked;
end $$;

-- What is sealed already is passed over.
create function antbot.seal_batch(p_seq bigint[], p_content bytea[]) returns int
language sql as $$ select antbot.chain_batch(p_seq, p_content, true) $$;

-- Links one append and gives its stream's head the times that the other engines give it: Marten stamps heads with its own clock.
create function antbot.link_append(p_stream varchar, p_version bigint, p_at timestamptz, p_id uuid[], p_content bytea[],
  out r_seq bigint[], out r_first_position bigint)
language plpgsql
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
as $$
declare
  linked int;
begin
  perform pg_advisory_xact_lock(antbot.append_lock());
  select coalesce(max(x.position), 0) into r_first_position from antbot.ledger x;
  select array_agg(v.seq_id order by u.n) into r_seq
    from unnest(p_id) with ordinality u (id, n)
    join public.mt_events v on v.stream_id = p_stream and v.version = p_version + u.n - 1 and v.id = u.id;
  linked := antbot.chain_batch(r_seq, p_content, false);
  if cardinality(r_seq) is distinct from cardinality(p_id) or linked <> cardinality(p_id) then
    raise data_exception using message = format('%s events were to be linked in %s from version %s; %s are there and %s were linked.',
      cardinality(p_id), p_stream, p_version, coalesce(cardinality(r_seq), 0), coalesce(linked, 0));
  end if;
  update public.mt_streams s set timestamp = p_at, created = case when p_version = 1 then p_at else s.created end where s.id = p_stream;
end $$;
