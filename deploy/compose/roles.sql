-- Run once, when the database is made. The service owns its database and nothing else; the backups may read the journal.
CREATE ROLE seatkey LOGIN;
CREATE DATABASE seatkey OWNER seatkey ENCODING 'UTF8';
REVOKE CONNECT ON DATABASE seatkey FROM PUBLIC;
GRANT CONNECT ON DATABASE seatkey TO seatkey;
CREATE ROLE backup LOGIN REPLICATION;
