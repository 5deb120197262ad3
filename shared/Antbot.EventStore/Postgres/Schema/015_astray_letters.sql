-- Dead letters about which was decided otherwise while a copy was on its way: what is decided on the copy is looked for all the same.
alter table antbot.dead_letters add column astray varchar null;

create index ix_dead_letters_astray on antbot.dead_letters (astray, at desc, id desc) where astray is not null;
