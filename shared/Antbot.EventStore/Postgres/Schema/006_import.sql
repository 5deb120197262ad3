-- A page of another store's history in one round trip. The client sends all of it before anything begins, and the commit is inside:
-- whoever stands still while it imports holds nothing.
create procedure antbot.import(
  p_store uuid, p_position bigint, p_prev bytea, -- what the page begins with
  p_seq bigint[], p_id uuid[], p_stream varchar[], p_version bigint[], p_data jsonb[], p_bdata bytea[], p_type varchar[], p_at timestamptz[],
  p_tenant varchar[], p_clr varchar[], p_correlation varchar[], p_causation varchar[], p_headers jsonb[], p_actor varchar[], p_archived bool[],
  p_hash bytea[], p_foreign bool[],
  inout r_done bool, inout r_store uuid, inout r_position bigint -- where this store ended, whether or not the page follows
) language plpgsql as $$
declare
  link bytea;
begin
  perform pg_advisory_xact_lock(antbot.append_lock());
  select x.position, x.hash into r_position, link from antbot.ledger x order by x.position desc limit 1;
  if not found then
    -- An empty store becomes the one whose history comes in.
    r_position := 0;
    update antbot.identity i set store_id = p_store where i.store_id <> p_store;
    link := antbot.genesis();
  end if;
  select i.store_id into r_store from antbot.identity i;
  r_done := r_store = p_store and p_position = r_position + 1 and p_prev = link;
  if not r_done then
    rollback;
    return;
  end if;

  -- What a stranger appended may be sealed, and come, behind what was appended after it.
  insert into public.mt_streams as s (id, type, version, timestamp, created, tenant_id, is_archived)
    select u.stream, null, max(u.version), (array_agg(u.at order by u.version desc))[1], (array_agg(u.at order by u.version))[1], '*DEFAULT*', false
    from unnest(p_stream, p_version, p_at) u (stream, version, at)
    group by u.stream
    on conflict (id) do update set
      version = greatest(s.version, excluded.version),
      timestamp = case when excluded.version > s.version then excluded.timestamp else s.timestamp end;
  update public.mt_streams s set created = u.at
    from unnest(p_stream, p_version, p_at) u (stream, version, at)
    where u.version = 1 and s.id = u.stream and s.created <> u.at;
  insert into public.mt_events (seq_id, id, stream_id, version, data, bdata, type, timestamp, tenant_id, mt_dotnet_type,
      correlation_id, causation_id, headers, user_name, is_archived)
    select * from unnest(p_seq, p_id, p_stream, p_version, p_data, p_bdata, p_type, p_at, p_tenant, p_clr,
      p_correlation, p_causation, p_headers, p_actor, p_archived);
  insert into antbot.ledger (position, seq_id, event_id, correlation_id, prev_hash, hash, is_foreign)
    select p_position + u.n - 1, u.seq, u.id, u.correlation, coalesce(lag(u.hash) over (order by u.n), p_prev), u.hash, u.is_foreign
    from unnest(p_seq, p_id, p_correlation, p_hash, p_foreign) with ordinality u (seq, id, correlation, hash, is_foreign, n);
  perform setval('public.mt_events_sequence', greatest((select max(u) from unnest(p_seq) u), (select last_value from public.mt_events_sequence)));
  perform pg_notify('antbot_events', (p_position + cardinality(p_seq) - 1)::text);
  commit;
end $$;
