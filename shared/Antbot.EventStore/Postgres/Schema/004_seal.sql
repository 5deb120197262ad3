-- Adopts events that somebody else appended, at the end of the chain, in the order given. What is sealed already is passed over.
create function antbot.seal_batch(p_seq bigint[], p_content bytea[]) returns int
language plpgsql as $$
declare
  e record;
  pos bigint;
  link bytea;
  next bytea;
  sealed int := 0;
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
    next := sha256(link || e.content || int8send(pos) || int8send(e.seq_id) || int8send(e.version) || '\x01'::bytea);
    insert into antbot.ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign)
      values (pos, e.seq_id, e.id, e.correlation_id, link, next, true);
    link := next;
    sealed := sealed + 1;
  end loop;
  if sealed > 0 then
    perform pg_notify('antbot_events', pos::text);
  end if;
  return sealed;
end $$;
