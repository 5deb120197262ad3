create table plain_signals (key text primary key, trade uuid not null, signal jsonb not null);
create table plain_trades (id uuid primary key, state text not null, signal jsonb, opened jsonb, done boolean not null, done_at timestamptz, row_version integer not null);
create table plain_validations (message_id uuid primary key, trade uuid not null, verdicts jsonb not null);
create table plain_accounts (id text primary key, reserved numeric not null, open numeric not null, realised numeric not null, trades integer not null);
insert into plain_accounts values ('main', 0, 0, 0, 0);
create table plain_reservations (trade uuid primary key, amount numeric not null, cost numeric, state text not null, verdicts jsonb not null);
create table plain_orders (trade uuid primary key, signal jsonb not null, accepted_at timestamptz, opened jsonb, closed jsonb);
create table plain_verifications (message_id uuid primary key, trade uuid not null, closed boolean not null, evidence text not null);
