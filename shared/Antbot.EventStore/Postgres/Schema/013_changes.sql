-- What people did in a period, whoever it was.
create index ix_actions_at on antbot.actions (at desc, id desc);
