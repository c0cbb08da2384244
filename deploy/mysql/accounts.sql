-- The database of a log in MySQL or MariaDB, and its two accounts. Run it once as the database's
-- administrator, before `triallog init`:
--
--   mariadb -u root -p < accounts.sql
--
-- Both accounts are locked until they have a password:
--
--   ALTER USER 'trialproof_owner'@'%' IDENTIFIED BY '...' ACCOUNT UNLOCK;
--   ALTER USER 'trialproof_server'@'%' IDENTIFIED BY '...' ACCOUNT UNLOCK;
--
-- Put the hosts that the servers run on in the place of '%' if you know them.

CREATE DATABASE IF NOT EXISTS trialproof CHARACTER SET utf8mb4;

-- Makes and changes the tables: for init, restore and upgrades alone. Lock it in between.
CREATE USER IF NOT EXISTS 'trialproof_owner'@'%' ACCOUNT LOCK;
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES ON trialproof.* TO 'trialproof_owner'@'%';

-- Serves. What it may do is in grants.sql, which needs the tables.
CREATE USER IF NOT EXISTS 'trialproof_server'@'%' ACCOUNT LOCK;
