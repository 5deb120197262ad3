-- Sealing what the client has looked at: each event by its sequence and its id, so that one that was changed since is passed over, and
-- only where no link that came after the look has its sequence. The rest of the ledger the client has compared, without the lock.
drop function antbot.seal_batch(bigint[], bytea[]);

create function antbot.seal_batch(p_seq bigint[], p_id uuid[], p_content bytea[], p_looked_at bigint) returns int
language plpgsql
set plan_cache_mode = force_custom_plan
as $$
declare
  seqs bigint[];
  contents bytea[];
begin
  perform pg_advisory_xact_lock(antbot.append_lock());
  select array_agg(u.seq order by u.n), array_agg(u.content order by u.n) into seqs, contents
    from unnest(p_seq, p_id, p_content) with ordinality u (seq, id, content, n)
    join public.mt_events v on v.seq_id = u.seq and v.id = u.id
    where u.seq <> all (array(select x.seq_id from antbot.ledger x where x.position > p_looked_at and x.seq_id = any (p_seq)));
  return antbot.chain_batch(seqs, contents, true);
end $$;

-- The commit is inside, as in antbot.append.
create procedure antbot.seal(p_seq bigint[], p_id uuid[], p_content bytea[], p_looked_at bigint, inout r_linked int)
language plpgsql as $$
begin
  r_linked := antbot.seal_batch(p_seq, p_id, p_content, p_looked_at);
  commit;
end $$;
