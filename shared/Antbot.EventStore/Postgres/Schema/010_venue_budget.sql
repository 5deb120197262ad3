-- What all processes use up together of what a venue allows them, and until when it has told them to wait. No history: a count is over with its slot.
create table antbot.venue_budget (
  scope varchar not null,
  kind varchar not null,
  slot bigint not null,
  used bigint not null,
  constraint pk_venue_budget primary key (scope, kind, slot)
) with (fillfactor = 50);

create table antbot.venue_block (
  venue varchar not null constraint pk_venue_block primary key,
  until timestamptz not null
);

-- All of the draws or none; see IVenueBudget.
create function antbot.draw_venue_budget(
  p_venue varchar, p_scope varchar[], p_kind varchar[], p_slot bigint[], p_need bigint[], p_wanted bigint[], p_cap bigint[], p_seen bigint[],
  out r_granted bigint[], out r_used bigint[], out r_blocked_ms bigint)
language plpgsql as $$
declare
  n constant int := coalesce(array_length(p_scope, 1), 0);
  refused boolean := false;
  now_used bigint;
begin
  -- A server that falls over may forget the last of it: the venue's own count, which comes with every answer, makes up for that.
  perform set_config('synchronous_commit', 'off', true);
  perform pg_advisory_xact_lock(hashtextextended('antbot venue ' || p_venue, 0));
  r_granted := '{}';
  r_used := '{}';
  select ceil(extract(epoch from b.until - clock_timestamp()) * 1000) into r_blocked_ms from antbot.venue_block b where b.venue = p_venue;
  r_blocked_ms := greatest(coalesce(r_blocked_ms, 0), 0);
  if r_blocked_ms > 0 then
    return;
  end if;
  for i in 1 .. n loop
    insert into antbot.venue_budget (scope, kind, slot, used) values (p_scope[i], p_kind[i], p_slot[i], p_seen[i]) on conflict do nothing;
    if found then
      delete from antbot.venue_budget b where b.scope = p_scope[i] and b.kind = p_kind[i] and b.slot < p_slot[i] - 2;
      now_used := p_seen[i];
    else
      select b.used into now_used from antbot.venue_budget b where b.scope = p_scope[i] and b.kind = p_kind[i] and b.slot = p_slot[i];
    end if;
    r_used := r_used || greatest(now_used, p_seen[i]);
    refused := refused or r_used[i] + p_need[i] > p_cap[i];
  end loop;
  for i in 1 .. n loop
    if not refused then
      r_granted := r_granted || least(p_wanted[i], p_cap[i] - r_used[i]);
      r_used[i] := r_used[i] + r_granted[i];
    end if;
    update antbot.venue_budget b set used = r_used[i] where b.scope = p_scope[i] and b.kind = p_kind[i] and b.slot = p_slot[i] and b.used <> r_used[i];
  end loop;
end $$;

-- When it returns, nobody is granted anything before it is over: whoever asks waits for the same lock, and then finds it.
create function antbot.block_venue(p_venue varchar, p_ms bigint) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('antbot venue ' || p_venue, 0));
  insert into antbot.venue_block as b (venue, until) values (p_venue, clock_timestamp() + p_ms * interval '1 millisecond')
    on conflict (venue) do update set until = greatest(b.until, excluded.until);
end $$;
