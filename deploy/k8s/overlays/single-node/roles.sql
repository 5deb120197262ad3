-- The services' own user. They add to history; only the tables' owner could change it.
\set password `cat /run/antbot/postgres/services-password`
create role antbot_writer nologin;
create role antbot_control nologin;
create role antbot_reader nologin;
create role antbot_services login password :'password' in role antbot_writer, antbot_control;
