-- The same append for a role that may write one stream only. The check runs with the owner's rights; the commit, which such a
-- function may not do, is in the procedure around it.
create function antbot.append_control_batch(
  p_streams varchar[], p_lane int[], p_expected bigint[], p_offset int[], p_count int[],
  p_guard_append int[], p_guard_lane int[], p_guard_expected bigint[],
  p_at timestamptz[], p_correlation varchar[], p_causation varchar[], p_actor varchar[], p_headers jsonb[],
  p_id uuid[], p_type varchar[], p_clr varchar[], p_data jsonb[], p_content bytea[]
) returns antbot.append_result
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  -- Arrays may begin anywhere: what is checked by subscript must be what is unnested.
  if 1 <> any (array[
      coalesce(array_lower(p_streams, 1), 1), coalesce(array_lower(p_lane, 1), 1), coalesce(array_lower(p_expected, 1), 1),
      coalesce(array_lower(p_offset, 1), 1), coalesce(array_lower(p_count, 1), 1), coalesce(array_lower(p_id, 1), 1),
      coalesce(array_ndims(p_streams), 1), coalesce(array_ndims(p_lane), 1), coalesce(array_ndims(p_offset), 1), coalesce(array_ndims(p_id), 1)]) then
    raise insufficient_privilege using message = 'The arrays of an append begin at 1 and have one dimension.';
  end if;
  if exists (select from unnest(p_streams) s where s is distinct from 'control') then
    raise insufficient_privilege using message = 'This role may append to the stream ''control'' only.';
  end if;
  if exists (select from unnest(p_lane) l where p_streams[l] is distinct from 'control') then
    raise insufficient_privilege using message = 'This role may append to the stream ''control'' only.';
  end if;
  return antbot.append_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);
end $$;

create procedure antbot.append_control(
  varchar[], int[], bigint[], int[], int[], int[], int[], bigint[], timestamptz[], varchar[], varchar[], varchar[], jsonb[], uuid[],
  varchar[], varchar[], jsonb[], bytea[],
  inout r_status smallint[], inout r_version bigint[], inout r_lane int[], inout r_seq bigint[], inout r_first_position bigint
) language plpgsql as $$
declare
  r antbot.append_result;
begin
  r := antbot.append_control_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);
  r_status := r.status;
  r_version := r.version;
  r_lane := r.lane;
  r_seq := r.seq;
  r_first_position := r.first_position;
  commit;
end $$;
