-- Run on every start by the schema's owner; harmless when repeated. Group roles without login: give them to the users that services log in as.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['antbot_writer', 'antbot_control', 'antbot_reader'] loop
    begin
      if not exists (select from pg_roles where rolname = wanted) then
        execute format('create role %I nologin', wanted);
      end if;
    exception
      when duplicate_object or unique_violation then null; -- another service was first
    end;
  end loop;
end $$;

revoke all on all functions in schema antbot from public;
revoke all on all procedures in schema antbot from public;

grant usage on schema public, antbot to antbot_writer, antbot_control, antbot_reader;

grant select on all tables in schema antbot to antbot_reader, antbot_writer, antbot_control;
grant select on public.mt_streams, public.mt_events, public.mt_event_progression to antbot_reader, antbot_writer, antbot_control;

-- A writer adds; it can change or remove nothing that has happened.
grant insert on public.mt_events, antbot.ledger, antbot.checkpoints, antbot.blob to antbot_writer;
grant insert, update on public.mt_streams, public.mt_event_progression, antbot.snapshots to antbot_writer;
-- What is derived may be made anew.
grant insert, update, delete on antbot.trades, antbot.orders, antbot.positions, antbot.processes, antbot.summaries, antbot.dead_letters, antbot.dead_letter_groups, antbot.mentions, antbot.actions to antbot_writer;
-- No history: counts that are over are removed.
grant insert, update, delete on antbot.venue_budget to antbot_writer;
grant insert, update on antbot.venue_block to antbot_writer;
grant usage on sequence public.mt_events_sequence to antbot_writer;
grant execute on function antbot.genesis() to antbot_reader, antbot_writer, antbot_control;
grant execute on function antbot.append_lock(), antbot.append_batch, antbot.seal_batch, antbot.chain_batch, antbot.link_append, antbot.draw_venue_budget, antbot.block_venue to antbot_writer;
grant execute on procedure antbot.append, antbot.seal to antbot_writer;

-- A halt must work when nothing else does, by someone who can do only that.
grant execute on function antbot.append_lock(), antbot.append_control_batch to antbot_control;
grant execute on procedure antbot.append_control to antbot_control;
