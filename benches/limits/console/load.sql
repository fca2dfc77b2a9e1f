-- A believable installation of {n} subscriptions and five times as many charges, over the three years before {now}.
-- Every table is written without its indexes, which come back at the end, by the migrations' own words; foreign keys are not
-- looked after. One subscription is there already, with a real order, key and mail.
-- Rows are as if made by chance, and the same in each run. A step ends with a line of dashes.

-- What everything below is made of. `chance` is a number from 0 to 1 that follows from two others.
SET synchronous_commit = off;
SET session_replication_role = replica;
SET work_mem = '256MB';
SET maintenance_work_mem = '512MB';
CREATE FUNCTION chance(i bigint, k int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  'SELECT (hashint8extended($1, $2) & 1048575) / 1048576.0';
-- An id that sorts by its time, as those of the program do.
CREATE FUNCTION id_at(micros bigint, k bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT (lpad(to_hex(micros / 1000), 12, '0') || '7' || lpad(to_hex(micros % 1000), 3, '0') || '8'
             || lpad(to_hex(k), 15, '0'))::uuid $$;
CREATE FUNCTION day_of(micros bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT to_char(timestamp 'epoch' + micros * interval '1 microsecond', 'YYYY-MM-DD') $$;
CREATE TABLE kept_index AS SELECT indexname, indexdef FROM pg_indexes
  WHERE schemaname = 'public' AND tablename <> 'seaql_migrations' AND indexname NOT IN (SELECT conname FROM pg_constraint);
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT indexname FROM kept_index LOOP EXECUTE format('DROP INDEX %I', name); END LOOP;
END $$;
ALTER TABLE search_term DROP CONSTRAINT IF EXISTS search_term_pkey;
----
-- Words of names: common ones and rare ones.
CREATE TABLE word AS SELECT
  ARRAY['con','nor','ber','al','fa','mar','hel','wes','lin','gro','tal','ven','sol','kra','bri','dor','pe','ro','ha','sta','wei','lu','ma','tre','o','zu','cal','fin','gra','ster'] AS first,
  ARRAY['to','di','ka','ri','ven','ma','lo','sen','ber','ta','vi','na','de','go','mi','la','ne','stein','wi','ra','bu','ko','li','sa','ti','ve','bo','gen','do','hu'] AS middle,
  ARRAY['so','wind','mann','berg','ner','tec','lux','dal','ton','via','sys','tron','haus','feld','ler','nova','son','ex','ter','gard','wald','core','mark','net','dyn','plan','zen','ria','fort','bach'] AS last,
  ARRAY['Logistik','Energie','Technik','Versicherung','Handel','Medien','Chemie','Klinik','Beratung','Bau','Systems','Foods','Pharma','Textil','Optik','Verlag','Brauerei','Reederei','Stahl','Gärtnerei'] AS trade,
  ARRAY['GmbH','GmbH','GmbH','GmbH','AG','AG','Ltd','SE','SARL','Inc'] AS form,
  ARRAY['anna','ben','clara','david','eva','felix','greta','hans','ida','jan','klara','lukas','mia','noah','olga','paul','rosa','simon','tina','uwe'] AS given,
  ARRAY['weber','brandt','keller','roth','vogel','lang','frank','winter','sommer','berger','kuhn','pohl','engel','horn','busch'] AS family;
CREATE UNLOGGED TABLE seed AS
SELECT i, md5('subscription ' || i)::uuid AS id, at, {now} - at AS age, o, md5('tenant ' || o)::uuid AS tenant,
  md5('person ' || o)::uuid AS person,
  CASE WHEN chance(i, 1) < 0.88 THEN 'konnekt' WHEN chance(i, 1) < 0.93 THEN 'scepman-ee' WHEN chance(i, 1) < 0.999 THEN 'radiusaas'
       ELSE 'realmjoin' END AS offer,
  CASE WHEN chance(i, 2) < 0.9 THEN 'EUR' WHEN chance(i, 2) < 0.98 THEN 'USD' WHEN chance(i, 2) < 0.999 THEN 'GBP' ELSE 'CHF' END AS currency,
  least(9999, (25 + 10 * exp(chance(i, 3) * 6))::bigint) AS users,
  initcap(first[1 + (chance(o, 10) * 30)::int % 30] || middle[1 + (chance(o, 11) * 30)::int % 30] || last[1 + (chance(o, 12) * 30)::int % 30]) AS brand,
  trade[1 + (chance(o, 13) * 20)::int % 20] AS trade, form[1 + (chance(o, 14) * 10)::int % 10] AS form,
  given[1 + (chance(o, 15) * 20)::int % 20] || '.' || family[1 + (chance(o, 16) * 15)::int % 15] AS buyer,
  chance(i, 4) < 0.005 AS is_test,
  -- A few resellers have most of the deals that are not direct.
  CASE WHEN chance(i, 5) < 0.05 THEN md5('reseller ' || floor(power(chance(i, 6), 4) * 200))::uuid END AS reseller,
  chance(i, 7) AS fate
FROM (SELECT i, {now} - 94694400000000 + i * (94694400000000 / {n}) - 60000000 AS at,
             CASE WHEN i % 4 = 0 THEN i / 2 ELSE i END AS o FROM generate_series(1, {n}) AS i) AS numbered, word;
ALTER TABLE seed ADD plan text, ADD stage text, ADD enrolled boolean, ADD ended_at bigint, ADD organisation text, ADD mail text,
  ADD segment text, ADD dimension text, ADD included int, ADD base numeric, ADD additional numeric, ADD every bigint;
UPDATE seed SET
  plan = CASE WHEN offer = 'konnekt' AND i % 50000 = 77 THEN 'konnekt-2022'
              ELSE offer || CASE offer WHEN 'scepman-ee' THEN '-monthly' ELSE '-yearly' END END,
  every = CASE offer WHEN 'scepman-ee' THEN 2629800000000 ELSE 31536000000000 END,
  stage = CASE WHEN age < 86400000000 AND fate < 0.3 THEN 'awaiting_enrolment'
               WHEN age BETWEEN 86400000000 AND 30 * 86400000000 AND fate < 0.02 THEN 'awaiting_enrolment'
               WHEN age < 3600000000 THEN 'activating'
               WHEN age > 30 * 86400000000 AND fate < 0.22 THEN 'ended'
               WHEN age > 30 * 86400000000 AND fate < 0.225 THEN 'suspended' ELSE 'active' END,
  enrolled = NOT (age < 86400000000 AND fate < 0.3 OR fate < 0.02),
  ended_at = CASE WHEN age > 30 * 86400000000 AND fate < 0.22
                  THEN at + 2000000000 + (CASE WHEN fate < 0.02 THEN 30 * 86400000000 ELSE (chance(i, 8) * (age - 2000000000))::bigint END) END,
  organisation = brand || ' ' || trade || ' ' || form, mail = lower(brand) || '-' || o || '.example',
  segment = CASE offer WHEN 'konnekt' THEN 'KONNEKT ' WHEN 'scepman-ee' THEN 'SCEPman EE (M) ' ELSE upper(offer) || ' ' END
    || CASE WHEN users < 250 THEN CASE offer WHEN 'konnekt' THEN '25' ELSE '50' END WHEN users < 1000 THEN '250' WHEN users < 5000 THEN '1000' ELSE '5000' END,
  dimension = CASE offer WHEN 'scepman-ee' THEN 'scepman' ELSE offer END || '-'
    || CASE WHEN users < 250 THEN CASE offer WHEN 'konnekt' THEN '25' ELSE '50' END WHEN users < 1000 THEN '250' WHEN users < 5000 THEN '1000' ELSE '5000' END,
  included = CASE WHEN users < 250 THEN 25 WHEN users < 1000 THEN 250 WHEN users < 5000 THEN 1000 ELSE 5000 END,
  base = CASE WHEN users < 250 THEN 600 WHEN users < 1000 THEN 3300 WHEN users < 5000 THEN 8700 ELSE 27900 END,
  additional = CASE WHEN users < 250 THEN 12 WHEN users < 1000 THEN 7.2 WHEN users < 5000 THEN 4.8 ELSE 3.6 END;
ANALYZE seed;
----
INSERT INTO subscription (id, offer_id, plan_id, name, beneficiary_tenant_id, beneficiary_object_id, beneficiary_email,
  purchaser_tenant_id, purchaser_object_id, purchaser_email, microsoft_status, term_unit, term_start, term_end, auto_renew,
  update_allowed, is_test, quantity, stage, enrolled_at, activated_at, users, segment, created_at, updated_at, version,
  ledger_term_start, ledger_term_end, trial_end, planned_users, planned_at, grace_end, suspended_at, ended_at, observed_at, chain_count, chain_hash)
SELECT id, offer, plan, offer || CASE i % 3 WHEN 0 THEN '-prod' WHEN 1 THEN '-emea' ELSE '-' || lower(brand) END,
  tenant, person, buyer || '@' || mail, coalesce(reseller, tenant), CASE WHEN reseller IS NULL THEN person ELSE reseller END,
  CASE WHEN reseller IS NULL THEN buyer || '@' || mail ELSE 'orders@reseller.example' END,
  CASE stage WHEN 'awaiting_enrolment' THEN 'PendingFulfillmentStart' WHEN 'activating' THEN 'PendingFulfillmentStart'
    WHEN 'suspended' THEN 'Suspended' WHEN 'ended' THEN 'Unsubscribed' ELSE 'Subscribed' END,
  CASE offer WHEN 'scepman-ee' THEN 'P1M' ELSE 'P1Y' END, day_of(began), day_of(began + every - 86400000000), true, reseller IS NULL, is_test, NULL,
  stage, CASE WHEN enrolled THEN at + 300000000 END, CASE WHEN enrolled AND stage <> 'activating' THEN at + 330000000 END,
  CASE WHEN enrolled THEN users END, CASE WHEN enrolled THEN segment END, at, began, 3,
  CASE WHEN enrolled THEN day_of(began) END, CASE WHEN enrolled THEN day_of(began + every - 86400000000) END,
  CASE WHEN enrolled AND i % 2 = 1 THEN day_of(at + 30 * 86400000000) END, CASE WHEN planned THEN users - 5 END, CASE WHEN planned THEN {now} - 86400000000 END,
  CASE WHEN enrolled THEN at + 3 * 86400000000 END, CASE stage WHEN 'suspended' THEN {now} - 86400000000 END, ended_at, at, 0, ''
FROM (SELECT *, at + every * ((coalesce(ended_at, {now}) - at) / every) AS began,
             stage = 'active' AND users > 40 AND chance(i, 9) < 0.01 AS planned FROM seed) AS seed ORDER BY i;
INSERT INTO enrolment (subscription_id, quote_id, organisation, buyer_name, buyer_email, technical_contact, submitted_at, language)
SELECT id, md5('quote ' || i)::uuid, organisation, initcap(replace(buyer, '.', ' ')), buyer || '@' || mail, 'it@' || mail, at + 300000000, 'en'
FROM seed WHERE enrolled ORDER BY i;
----
-- Two lines of each term, and an upgrade here and there.
CREATE UNLOGGED TABLE line AS
SELECT i, id AS subscription, reason, at, ledger_at, p, chance(i * 128 + k * 2 + p, 20) AS fate, (i * 128 + k * 2 + p) AS number
FROM (SELECT i, id, seed.at + 330000000 + every * k AS at, seed.at + every * k AS ledger_at, k,
             CASE k WHEN 0 THEN 'enrolment' ELSE 'renewal' END AS reason
      FROM seed, LATERAL generate_series(0, ((coalesce(ended_at, {now}) - seed.at) / every)::int) AS k
      WHERE enrolled AND stage <> 'activating') AS terms, generate_series(0, 1) AS p
UNION ALL
SELECT i, id, 'upgrade', at + 330000000 + (chance(i, 21) * ({now} - at - 330000000))::bigint, at, 2, chance(i, 22), i * 128 + 127
FROM seed WHERE enrolled AND stage = 'active' AND chance(i, 23) < 0.15 AND age > 3600000000;
INSERT INTO charge (id, subscription_id, quote_id, reason, term_start, position, description, dimension, quantity_millionths, unit_price,
  amount_minor, currency, reportable_from, state, created_at, users, part_days, part_of_days, plan_id, try_at, state_at)
SELECT id_at(line.at, number), subscription, md5(CASE reason WHEN 'enrolment' THEN 'quote ' ELSE reason END || line.i)::uuid, reason,
  day_of(ledger_at), p % 2, CASE p WHEN 0 THEN 'Base fee ' ELSE 'Additional users ' END || segment, dimension || CASE p WHEN 0 THEN '-base' ELSE '-user' END,
  quantity * 1000000, CASE p WHEN 0 THEN base ELSE additional END::text, round(quantity * CASE p WHEN 0 THEN base ELSE additional END * 100),
  currency, line.at + hold,
  CASE WHEN line.at + hold > {now} THEN 'held' WHEN line.at + hold > {now} - 1200000000 THEN CASE WHEN line.fate < 0.1 THEN 'sending' ELSE 'due' END
       WHEN line.fate < 15.0 / (5 * {n}) THEN 'unknown' WHEN line.fate < 25.0 / (5 * {n}) THEN 'conflict'
       WHEN line.fate < 35.0 / (5 * {n}) THEN 'rejected' WHEN line.fate < 50.0 / (5 * {n}) THEN 'frozen'
       WHEN line.fate < 0.0006 THEN 'expired' WHEN line.fate < 0.0008 THEN 'written_off' WHEN line.fate < 0.03 THEN 'cancelled' ELSE 'accepted' END,
  line.at, users, every / 86400000000, every / 86400000000, plan, 0, line.at + hold
FROM (SELECT *, CASE WHEN reason <> 'enrolment' THEN 0 WHEN i % 2 = 0 THEN 259200000000 ELSE 30 * 86400000000 END AS hold FROM line) AS line
JOIN (SELECT *, users - included AS more FROM seed) AS seed USING (i), LATERAL (SELECT CASE p WHEN 0 THEN 1 WHEN 2 THEN 10 ELSE greatest(more, 0) END AS quantity) AS q
ORDER BY line.at;
DROP TABLE line;
INSERT INTO finding (id, subscription_id, kind, cause, detail, found_at, resolved_at)
SELECT id_at(state_at, 1), subscription_id, 'charge_' || state, id::text, 'Microsoft gave no clear answer to this charge', state_at, NULL
FROM charge WHERE state IN ('unknown', 'conflict', 'rejected', 'frozen');
INSERT INTO finding (id, subscription_id, kind, cause, detail, found_at, resolved_at)
SELECT id_at(at, 2), id, 'terms_skipped', day_of(at), 'a term was skipped', at, CASE WHEN chance(i, 31) < 0.999 THEN at + 86400000000 END
FROM seed WHERE chance(i, 30) < 0.02;
----
INSERT INTO mail (id, subscription_id, message_id, recipients, subject, text_body, html_body, attachments, reply_to, state, last_error, created_at, sent_at)
SELECT id_at(at + 330000000, i), id, 'welcome.' || id || '@seatkey.example', '["' || buyer || '@' || mail || '","it@' || mail || '"]',
  'Your license key for ' || organisation, 'Welcome. Your license key is attached.', '<p>Welcome. Your license key is attached.</p>', '[]',
  'support@konnekt.example', CASE WHEN chance(i, 40) < 12.0 / {n} THEN 'queued' WHEN ended_at < {now} - 90 * 86400000000 THEN 'erased' ELSE 'sent' END,
  CASE WHEN chance(i, 40) < 12.0 / {n} THEN 'the mail server does not answer' END, at + 330000000, at + 331000000
FROM seed WHERE enrolled ORDER BY at;
INSERT INTO webhook (id, operation_id, action, subscription_id, body, claims, refusal, received_at, handled_at, outcome)
SELECT id_at(happened, i), md5('operation ' || i)::uuid::text, action, id,
  format('{"id":"%s","activityId":"%s","publisherId":"konnekt","offerId":"%s","planId":"%s","quantity":null,"subscriptionId":"%s","timeStamp":"%sT10:00:00Z","action":"%s","status":"Succeeded","operationRequestSource":"Azure","subscription":{"id":"%s","name":"%s","saasSubscriptionStatus":"Subscribed"}}',
    md5('operation ' || i)::uuid, md5('activity ' || i)::uuid, offer, plan, id, day_of(happened), action, id, brand),
  '{"aud":"7c1f8b7a-3a55-4f0e-8d0b-5a0e5c1d2b33","iss":"https://sts.windows.net/5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11/","tid":"5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11"}',
  NULL, happened, CASE WHEN chance(i, 42) >= 30.0 / {n} THEN happened + 900000 END, CASE WHEN chance(i, 42) >= 30.0 / {n} THEN 'done' END
FROM (SELECT *, CASE WHEN ended_at IS NOT NULL THEN 'Unsubscribe' WHEN chance(i, 41) < 0.8 THEN 'Renew' WHEN chance(i, 41) < 0.94 THEN 'ChangeQuantity'
        WHEN chance(i, 41) < 0.97 THEN 'Suspend' WHEN chance(i, 41) < 0.9995 THEN 'Reinstate' ELSE 'ChangePlan' END AS action,
        coalesce(ended_at, at + (chance(i, 43) * age)::bigint) AS happened FROM seed) AS seed ORDER BY happened;
INSERT INTO marketplace_call (id, subscription_id, operation, intended_at, answered_at, outcome, request_id, correlation_id)
SELECT id_at(at + 300000000, i), id, 'activate', at + 300000000, at + 301000000, 'accepted', md5('request ' || i)::uuid::text, md5('correlation ' || i)::uuid::text
FROM seed WHERE enrolled ORDER BY at;
INSERT INTO license_key (id, subscription_id, license_id, seq, signing_key_id, compact, expires_at, created_at)
SELECT id_at(at + 330000000, i), id, md5('license ' || i)::uuid, 1, 'key-1', 'its text is left out', {now} + 31536000000000, at + 330000000 FROM seed WHERE enrolled ORDER BY at;
----
INSERT INTO job (id, kind, subject, state, run_at, attempts, lease_until, last_error, created_at)
SELECT id_at(at, i * 8 + k), kind, subject, state, run_at, CASE state WHEN 'dead' THEN 12 ELSE 1 END, 0, CASE state WHEN 'dead' THEN 'Microsoft answered 500' END, at
FROM (
  SELECT 1 AS k, i, 'activate_subscription' AS kind, id AS subject, CASE stage WHEN 'activating' THEN 'ready' ELSE 'done' END AS state, at + 300000000 AS run_at, at + 300000000 AS at FROM seed WHERE enrolled
  UNION ALL SELECT 2, i, 'keep_appointment', id, CASE stage WHEN 'ended' THEN 'done' ELSE 'ready' END, {now} + (chance(i, 44) * 31536000000000)::bigint, at + 330000000 FROM seed WHERE enrolled
  UNION ALL SELECT 3, i, 'release_charges', id, CASE WHEN age < 259200000000 THEN 'ready' ELSE 'done' END, at + 259200000000, at + 330000000 FROM seed WHERE enrolled
  UNION ALL SELECT 4, i, 'issue_key', id, CASE WHEN chance(i, 45) < 6.0 / {n} THEN 'dead' ELSE 'done' END, at + 259300000000, at + 259300000000 FROM seed WHERE enrolled AND age > 259300000000
  UNION ALL SELECT 5, i, 'rewrite_charges', id, 'done', at + 259300000000, at + 259300000000 FROM seed WHERE i % 5000 = 1
) AS jobs
UNION ALL SELECT id_at(created_at, 5), 'send_mail', mail.id, CASE state WHEN 'queued' THEN CASE WHEN chance(created_at, 46) < 0.5 THEN 'dead' ELSE 'ready' END ELSE 'done' END, created_at, 1, 0, NULL, created_at FROM mail JOIN (SELECT id AS subscription_id FROM seed) AS known USING (subscription_id)
UNION ALL SELECT id_at(received_at, 6), 'handle_webhook', id, CASE WHEN handled_at IS NULL THEN CASE WHEN chance(received_at, 46) < 0.3 THEN 'dead' ELSE 'ready' END ELSE 'done' END, received_at, 1, 0, NULL, received_at FROM webhook
ORDER BY 9;
INSERT INTO job (id, kind, subject, state, run_at, attempts, lease_until, created_at)
SELECT id_at({now} - k * 1000, k), kind, '00000000-0000-0000-0000-000000000000', 'ready', {now} + 60000000, 0, 0, {now} - k * 1000
FROM unnest(ARRAY['report_usage', 'digest_ledger', 'reconcile_usage', 'sweep_subscriptions']) WITH ORDINALITY AS house (kind, k);
----
INSERT INTO staff_member (id, tenant_id, object_id, name, email, roles, first_seen_at, signed_in_at)
SELECT md5('member ' || m)::uuid, '5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11', md5('staff ' || m)::uuid, 'Colleague ' || m, 'colleague' || m || '@konnekt.example',
  CASE m % 4 WHEN 0 THEN 'Sales' WHEN 1 THEN 'Finance' WHEN 2 THEN 'Support' ELSE 'Admin' END, {now} - 94694400000000, {now} - m * 3600000000
FROM generate_series(1, 60) AS m;
INSERT INTO audit (id, subscription_id, actor, action, detail, at, position, hash)
SELECT id_at(at, i * 8 + k), subscription, actor, action, detail, at, CASE WHEN k < 5 THEN k ELSE i * 8 + k END, md5(i::text || k)
FROM (
  SELECT 1 AS k, i, id AS subscription, 'microsoft' AS actor, 'subscription_seen' AS action, '{"status":"PendingFulfillmentStart"}' AS detail, at FROM seed
  UNION ALL SELECT 2, i, id, 'buyer:' || tenant || '/' || person, 'order_submitted', '{"users":' || users || '}', at + 300000000 FROM seed WHERE enrolled
  UNION ALL SELECT 3, i, id, 'seatkey', 'subscription_activated', '{"segment":"' || segment || '"}', at + 330000000 FROM seed WHERE enrolled AND stage <> 'activating'
  UNION ALL SELECT 4, i, id, 'staff:5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11/' || md5('staff ' || (1 + i % 60))::uuid,
    CASE WHEN i % 7 = 0 THEN 'key_resent' WHEN i % 5000 = 1 THEN 'person_bound' ELSE 'note_added' END, '{"reason":"the customer asked for it"}', at + 400000000 + (chance(i, 50) * (age - 400000000))::bigint
    FROM seed WHERE chance(i, 51) < 0.05 AND age > 400000000
  UNION ALL SELECT 5, i, '00000000-0000-0000-0000-000000000000', 'staff:5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11/' || md5('staff ' || (1 + i % 60))::uuid, 'staff_signed_in', '{"roles":"Sales"}', at FROM seed WHERE i % 20 = 3
  UNION ALL SELECT 6, i, '00000000-0000-0000-0000-000000000000', 'api:' || md5('program ' || (i % 3))::uuid, 'trial_granted', '{"days":30}', at FROM seed WHERE i % 200 = 9
  UNION ALL SELECT 7, i, '00000000-0000-0000-0000-000000000000', 'operator:root', 'ledger_verified', '{}', at FROM seed WHERE i % ({n} / 20 + 1) = 11
) AS entries ORDER BY at;
INSERT INTO api_key (id, name, digest, scopes, created_by, created_at, expires_at)
SELECT md5('program ' || k)::uuid, 'program ' || k, md5('digest ' || k), 'trials:write', 'operator:root', {now} - 94694400000000, {now} + 94694400000000 FROM generate_series(0, 2) AS k;
INSERT INTO trial_grant (id, kind, offer_id, plan_id, trial_group, tenant_id, domain, organisation, contact_name, contact_email, language, subscription_id,
  days, users, reason, state, granted_by, granted_by_name, granted_by_email, granted_at, expires_at, opened_at, used_at, version)
SELECT id_at(at, i), CASE i % 3 WHEN 0 THEN 'off_market' ELSE 'ahead' END, 'konnekt', 'konnekt-yearly', 'konnekt', tenant, mail, organisation,
  initcap(replace(buyer, '.', ' ')), buyer || '@' || mail, 'en', CASE WHEN state = 'used' THEN id END, 30, 100, 'a pilot of the customer',
  state, 'staff:5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11/' || md5('staff 4')::uuid, 'Colleague 4', 'colleague4@konnekt.example', at, at + 90 * 86400000000, at,
  CASE WHEN state = 'used' THEN at + 864000000000 END, 1
FROM (SELECT *, CASE WHEN chance(i, 60) < 0.5 THEN 'used' WHEN chance(i, 60) < 0.6 THEN 'revoked' WHEN chance(i, 60) < 0.602 THEN 'proposed' ELSE 'open' END AS state FROM seed) AS seed
WHERE i % 66 = 5 ORDER BY at;
INSERT INTO approval (id, kind, subject, subscription_id, body, basis, reason, proposed_by, proposed_at, expires_at, state, decided_by, decided_at)
SELECT id_at(state_at, 9), 'resolve_charge', id, subscription_id, 'accepted', state, 'Microsoft shows it', md5('member 1')::uuid, {now} - 3600000000, {now} + 86400000000,
  CASE WHEN state = 'conflict' THEN 'open' ELSE 'approved' END, CASE WHEN state = 'conflict' THEN NULL ELSE md5('member 5')::uuid END, CASE WHEN state = 'conflict' THEN NULL ELSE {now} END
FROM charge WHERE state = 'conflict' OR state = 'written_off';
----
-- What one page shows of one subscription: some have what three years leave behind, and one has much more.
CREATE TABLE sampled AS SELECT *, CASE row_number() OVER (ORDER BY i) WHEN 1 THEN 600 ELSE 3 END AS times FROM (
  SELECT * FROM seed WHERE enrolled AND stage = 'active' AND offer = 'konnekt' AND age > 400 * 86400000000 AND i % greatest(1, {n} / 400) = 3 ORDER BY i LIMIT 100) AS found;
INSERT INTO quote (id, subscription_id, body, tenant_id, object_id, created_at, expires_at)
SELECT md5('quote ' || i)::uuid, sampled.id, body, tenant, person, at, at + 1800000000 FROM sampled, (SELECT body FROM quote LIMIT 1) AS written;
INSERT INTO charge (id, subscription_id, quote_id, reason, term_start, position, description, dimension, quantity_millionths, unit_price,
  amount_minor, currency, reportable_from, state, created_at, users, from_users, part_days, part_of_days, plan_id, try_at, state_at)
SELECT id_at(at + k * 86400000000, i * 1024 + k), id, md5('change ' || i || k)::uuid, 'upgrade', day_of(at), 0, 'Additional users ' || segment, dimension || '-user',
  1234567, additional::text, 1481, currency, at + k * 86400000000, 'accepted', at + k * 86400000000, users, users - 1, 100, 365, plan, 0, at + k * 86400000000
FROM sampled, generate_series(2, times) AS k;
INSERT INTO usage_event (id, charge_id, subscription_id, dimension, hour, effective_start, quantity_millionths, body, created_at, state, in_doubt, attempts, next_attempt_at, answered_at, last_answer)
SELECT id_at(created_at, number), id, subscription_id, dimension, hour, hour, quantity_millionths,
  format('{"resourceId":"%s","quantity":1.234567,"dimension":"%s","effectiveStartTime":"2025-01-15T10:00:00Z","planId":"%s"}', subscription_id, dimension, plan_id),
  created_at, 'closed', false, 1, 0, created_at + 1000000, '{"status":"Accepted","usageEventId":"ecedc6dd-c396-4c33-966d-09562588241d"}'
FROM (SELECT *, row_number() OVER (PARTITION BY subscription_id ORDER BY id) AS number, (created_at / 3600000000 + row_number() OVER (PARTITION BY subscription_id ORDER BY id)) * 3600000000 AS hour
      FROM charge WHERE subscription_id IN (SELECT id FROM sampled) AND state = 'accepted') AS accepted;
INSERT INTO charge_history (id, charge_id, state, reason, at, subscription_id, position, hash)
SELECT id_at(created_at, number), id, word, CASE word WHEN 'accepted' THEN 'accepted by Microsoft' ELSE 'written' END, created_at + k, subscription_id, number, md5(number::text) || md5(id::text)
FROM (SELECT *, row_number() OVER (PARTITION BY subscription_id ORDER BY created_at, id, k) AS number FROM charge, unnest(ARRAY['due', 'sending', 'accepted']) WITH ORDINALITY AS steps (word, k)
      WHERE subscription_id IN (SELECT id FROM sampled) AND state = 'accepted') AS steps;
INSERT INTO license_key (id, subscription_id, license_id, seq, signing_key_id, compact, expires_at, created_at)
SELECT id_at(at + 330000000 + k, i), id, md5('license ' || i)::uuid, k, 'key-1', written.compact, {now} + 31536000000000, at + 330000000 + k
FROM sampled, generate_series(2, least(times, 100)) AS k, (SELECT compact FROM license_key ORDER BY length(compact) DESC LIMIT 1) AS written;
INSERT INTO mail (id, subscription_id, message_id, recipients, subject, text_body, html_body, attachments, reply_to, state, created_at, sent_at)
SELECT id_at(at + k, i), id, k || '.' || id || '@seatkey.example', '["' || buyer || '@' || mail || '"]', 'Your new license key', body, html, '[]', 'support@konnekt.example', 'sent', at + k, at + k
FROM sampled, generate_series(1, times) AS k,
  (SELECT coalesce(max(text_body), '') AS body, coalesce(max(html_body), '') AS html FROM mail WHERE message_id LIKE 'welcome.%@127.0.0.1') AS written;
INSERT INTO webhook (id, operation_id, action, subscription_id, body, claims, received_at, handled_at, outcome)
SELECT id_at(sampled.at + k, i), md5('operation ' || i || '/' || k)::uuid::text, 'ChangeQuantity', sampled.id, body, claims, at + k, at + k, 'done'
FROM sampled, generate_series(1, times) AS k, (SELECT body, claims FROM webhook LIMIT 1) AS like_this;
INSERT INTO marketplace_call (id, subscription_id, operation, intended_at, answered_at, outcome, request_id, correlation_id)
SELECT id_at(at + k, i), id, 'get_operation', at + k, at + k, 'accepted', md5('r' || i || k)::uuid::text, md5('c' || i || k)::uuid::text FROM sampled, generate_series(1, times) AS k;
INSERT INTO note (id, subscription_id, member_id, text, at)
SELECT id_at(at + k, i), id, md5('member ' || (1 + k % 60))::uuid, 'The customer asked for an offer for more users; call back in a week.', at + k FROM sampled, generate_series(1, times / 2) AS k;
INSERT INTO audit (id, subscription_id, actor, action, detail, at, position, hash)
SELECT id_at(at + k, i), id, 'staff:5d9f1c3e-8a64-4c0b-9a1e-2f6d7b1c0a11/' || md5('staff ' || (1 + k % 60))::uuid, 'note_added', '{"reason":"the customer asked for it"}', at + k, 100 + k, md5(i::text || k) || md5(k::text)
FROM sampled, generate_series(1, times * 2) AS k;
INSERT INTO job (id, kind, subject, state, run_at, attempts, lease_until, created_at)
SELECT id_at(created_at, 7), 'send_mail', id, 'done', created_at, 1, 0, created_at FROM mail WHERE subscription_id IN (SELECT id FROM sampled) AND subject = 'Your new license key'
UNION ALL SELECT id_at(received_at, 8), 'handle_webhook', id, 'done', received_at, 1, 0, received_at FROM webhook WHERE subscription_id IN (SELECT id FROM sampled) AND action = 'ChangeQuantity' AND operation_id NOT IN (SELECT md5('operation ' || i)::uuid::text FROM sampled);
----
-- What store/search_terms.rs would have written.
INSERT INTO search_term (term, target, kind, is_trial)
SELECT convert_to(lower(term), 'UTF8'), target, kind, is_trial FROM (
  SELECT unnest(ARRAY[organisation, brand, trade, form]) AS term, id AS target, 'organisation' AS kind, false AS is_trial FROM seed WHERE enrolled AND (ended_at IS NULL OR ended_at > {now} - 90 * 86400000000)
  UNION ALL SELECT name, id, 'name', false FROM subscription JOIN seed USING (id)
  UNION ALL SELECT unnest(ARRAY[buyer || '@' || mail, 'it@' || mail]), id, 'email', false FROM seed WHERE enrolled AND (ended_at IS NULL OR ended_at > {now} - 90 * 86400000000)
  UNION ALL SELECT unnest(CASE WHEN reseller IS NULL THEN ARRAY[tenant] ELSE ARRAY[tenant, reseller] END)::text, id, 'tenant', false FROM seed
  UNION ALL SELECT id::text, id, 'subscription', false FROM seed
  UNION ALL SELECT md5('license ' || i)::uuid::text, id, 'license', false FROM seed WHERE enrolled
  UNION ALL SELECT operation_id, subscription_id, 'operation', false FROM webhook WHERE subscription_id NOT IN (SELECT subscription_id FROM quote WHERE created_at = {now})
  UNION ALL SELECT unnest(ARRAY[request_id, correlation_id]), subscription_id, 'request', false FROM marketplace_call WHERE subscription_id NOT IN (SELECT subscription_id FROM quote WHERE created_at = {now})
  UNION ALL SELECT unnest(ARRAY[organisation, contact_email]), id, unnest(ARRAY['organisation', 'email']), true FROM trial_grant WHERE kind = 'off_market'
) AS terms;
