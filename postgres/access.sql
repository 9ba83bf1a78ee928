-- Row-level security: who reaches which rows, whatever the program asks for (docs/decisions/0140-row-level-security.md). Every migration that finds this
-- file changed makes all of it anew. A new table joins by one line of access.protect or access.exempt at the end; a test fails until it does.
--
-- Who asks is set in each transaction: groundwork.actor, .role, .unit, .official, .regions (roots of subtrees), .everywhere ('on': bound to no
-- regions because nobody has to prove who they are), .secret (digest of the secret of an opinion), .follows ('on': what follows by itself of a
-- step that was permitted). The chores act as SYSTEM and reach everything; the replication reads what is published.
--
-- To keep plans good: what nearly all rows meet stands first in an expression and is leakproof; what is the same for all rows of a statement
-- stands in (SELECT …), so that it is asked once; what looks other rows up is a function, and runs for the few rows that are left. Such a function is
-- planned once (plan_cache_mode): the API has its lists planned for their filters, which would plan the function anew for each row.

-- Who asks ---------------------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION access.actor() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('groundwork.actor', true), '');
CREATE OR REPLACE FUNCTION access.role() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('groundwork.role', true), '');
CREATE OR REPLACE FUNCTION access.unit() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('groundwork.unit', true), '')::uuid;
CREATE OR REPLACE FUNCTION access.official() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('groundwork.official', true), '')::uuid;
CREATE OR REPLACE FUNCTION access.regions() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(string_to_array(nullif(current_setting('groundwork.regions', true), ''), ',')::uuid[], '{}');

-- works: the role works on issues, so it may read more than the public of what it reaches.
CREATE OR REPLACE FUNCTION access.works() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(access.role() IN ('INTAKE', 'DISPATCHER', 'HANDLER', 'UNIT_HEAD', 'LEADER', 'SUPERVISOR', 'CALLER', 'CAMPAIGN_LEAD', 'POLICY_OWNER',
        'ASSESSOR', 'PRIVACY_OFFICER', 'SYSTEM'), false);

-- unbound: nothing binds it to regions.
CREATE OR REPLACE FUNCTION access.unbound() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(access.role() = 'SYSTEM' OR current_setting('groundwork.everywhere', true) = 'on' OR current_setting('groundwork.follows', true) = 'on', false);

-- everywhere: it works, and is bound to no regions.
CREATE OR REPLACE FUNCTION access.everywhere() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN access.unbound() AND (access.works() OR coalesce(current_setting('groundwork.follows', true) = 'on', false));

-- pid: the pseudonym of the account that asks; null for the anonymous, who are nobody in particular.
CREATE OR REPLACE FUNCTION access.pid() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT k.pid FROM vault.known('groundwork', ARRAY[access.actor()]) k WHERE access.actor() <> 'anonymous'
$$;

-- mine: the opinion was given by the account that asks, or its secret was shown.
CREATE OR REPLACE FUNCTION access.mine(reporter uuid, secret bytea) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(secret = decode(nullif(current_setting('groundwork.secret', true), ''), 'hex'), false) OR coalesce(reporter = access.pid(), false);

-- recorded: by the account that asks.
CREATE OR REPLACE FUNCTION access.recorded(by_whom text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(by_whom = access.actor() AND by_whom <> 'anonymous', false);

-- own_deed: of the account that asks, in the role and for the unit in which it asks, or of the system.
CREATE OR REPLACE FUNCTION access.own_deed(by_whom text, as_role text, for_unit uuid) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce((by_whom, as_role) = (access.actor(), access.role()) AND for_unit IS NOT DISTINCT FROM access.unit() OR (by_whom, as_role) = ('system', 'SYSTEM'), false);

-- Places -----------------------------------------------------------------------------------------------------------------

-- roots: where the regions lie that the role is bound to; provincial: one of them is a whole province. Asked once a statement.
CREATE OR REPLACE FUNCTION access.roots() RETURNS ltree[] LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT path FROM region WHERE id = ANY (access.regions()));
END $$;
CREATE OR REPLACE FUNCTION access.provincial() RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM region WHERE id = ANY (access.regions()) AND level = 'PROVINCE');
END $$;

-- below: within, for many rows: one look-up by primary key. Why it costs nothing is said where issues are.
CREATE OR REPLACE FUNCTION access.below(place uuid, roots ltree[]) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1
    SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN coalesce((SELECT here.path <@ ANY (roots) FROM region here WHERE here.id = place), false);
END $$;

-- within: the place lies in the regions that the role is bound to.
CREATE OR REPLACE FUNCTION access.within(place uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 50 AS $$
BEGIN
    RETURN access.below(place, access.roots());
END $$;

-- reaches: a worker may act there. What has no known place lies outside of nobody's regions: whoever is bound somewhere may take it up.
CREATE OR REPLACE FUNCTION access.reaches(place uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 60 AS $$
BEGIN
    RETURN access.unbound() OR CASE WHEN place IS NULL THEN cardinality(access.regions()) > 0 ELSE access.within(place) END;
END $$;

-- confided: what was told in confidence there is for the role. With no known place, it is for those bound to a whole province.
CREATE OR REPLACE FUNCTION access.confided(place uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 60
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF place IS NULL THEN
        RETURN EXISTS (SELECT FROM region WHERE id = ANY (access.regions()) AND level = 'PROVINCE');
    END IF;
    RETURN access.within(place);
END $$;

-- Issues and opinions ----------------------------------------------------------------------------------------------------

-- The planner counts the cost of a function for all rows, and those of the next five that stand in policies run for the few rows that are confidential:
-- a true cost would have it avoid rows as if each were dear, and go by the wrong index.

-- has_leg: the unit that the actor acts for has, or had, the issue.
CREATE OR REPLACE FUNCTION access.has_leg(issue uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (SELECT FROM dispatch_leg l WHERE l.issue_id = issue AND l.unit_id = access.unit());
END $$;

-- reported: the actor gave an opinion on the issue.
CREATE OR REPLACE FUNCTION access.reported(issue uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (SELECT FROM issue_opinion l JOIN opinion o ON o.id = l.opinion_id WHERE l.issue_id = issue AND access.mine(o.reporter_pid, o.secret_digest));
END $$;

-- broke_glass: it opened the opinion, or the issue with all its opinions, for a day and with a reason (docs/decisions/0152-breaking-the-glass.md).
CREATE OR REPLACE FUNCTION access.broke_glass(opinion uuid, issue uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (SELECT FROM glass g WHERE g.account = access.actor() AND g.role = access.role() AND g.revoked_at IS NULL AND g.expires_at > now()
        AND (g.opinion_id = opinion OR g.issue_id = issue OR g.issue_id = (SELECT l.issue_id FROM issue_opinion l WHERE l.opinion_id = opinion)));
END $$;

-- has_glass: it has broken some glass that is open.
CREATE OR REPLACE FUNCTION access.has_glass() RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM glass g WHERE g.account = access.actor() AND g.role = access.role() AND g.revoked_at IS NULL AND g.expires_at > now());
END $$;

-- known_as: the account that asks, if it is somebody in particular.
CREATE OR REPLACE FUNCTION access.known_as() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE RETURN nullif(access.actor(), 'anonymous');

-- knows_issue: it may read all of the issue, what was told in confidence too.
CREATE OR REPLACE FUNCTION access.knows_issue(issue uuid, place uuid, lead_unit uuid, by_whom text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 AS $$
BEGIN
    IF NOT access.works() THEN
        RETURN CASE access.role() WHEN 'CITIZEN' THEN access.reported(issue) ELSE access.broke_glass(NULL, issue) END;
    END IF;
    RETURN access.unbound() OR access.recorded(by_whom) OR coalesce(lead_unit = access.unit(), false) OR access.confided(place) OR access.has_leg(issue)
        OR access.broke_glass(NULL, issue);
END $$;

CREATE OR REPLACE FUNCTION access.knows_opinion(opinion uuid, place uuid, reporter uuid, secret bytea, by_whom text) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1 SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF access.mine(reporter, secret) THEN
        RETURN true;
    END IF;
    RETURN access.works() AND (access.unbound() OR access.recorded(by_whom) OR access.confided(place) OR EXISTS (
        SELECT FROM issue_opinion l JOIN issue i ON i.id = l.issue_id WHERE l.opinion_id = opinion
            AND access.knows_issue(i.id, i.region_id, i.lead_unit_id, i.recorded_by)))
        OR access.role() <> 'CITIZEN' AND access.broke_glass(opinion, NULL);
END $$;

-- works_on: it may take steps of the issue: those of the place, the units that have it, and whoever reported it.
CREATE OR REPLACE FUNCTION access.works_on(issue uuid, place uuid, lead_unit uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 AS $$
BEGIN
    RETURN access.everywhere() OR coalesce(CASE
        WHEN access.role() = 'CITIZEN' THEN access.reported(issue)
        WHEN access.role() IN ('HANDLER', 'UNIT_HEAD') THEN coalesce(lead_unit = access.unit(), false) OR access.has_leg(issue)
        WHEN access.role() IN ('INTAKE', 'DISPATCHER', 'LEADER', 'SUPERVISOR', 'CALLER') THEN access.reaches(place)
    END, false);
END $$;

CREATE OR REPLACE FUNCTION access.works_on_issue(issue uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN access.everywhere() OR coalesce((SELECT access.works_on(i.id, i.region_id, i.lead_unit_id) FROM issue i WHERE i.id = issue), false);
END $$;

-- registers: it may open an issue there.
CREATE OR REPLACE FUNCTION access.registers(place uuid, by_whom text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN access.everywhere() OR coalesce(access.role() IN ('INTAKE', 'LEADER') AND access.reaches(place) OR access.role() = 'CITIZEN' AND by_whom = access.actor(), false);
END $$;

-- links: the opinion may become part of the issue. A citizen opens an issue with what it said itself.
CREATE OR REPLACE FUNCTION access.links(issue uuid, opinion uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF access.role() = 'CITIZEN' AND NOT access.everywhere() THEN
        RETURN EXISTS (SELECT FROM opinion o, issue i WHERE o.id = opinion AND access.mine(o.reporter_pid, o.secret_digest)
            AND i.id = issue AND i.recorded_by = access.actor() AND i.seq = 1);
    END IF;
    RETURN access.works_on_issue(issue);
END $$;

-- says: it may record the opinion: its own, or what was said where it takes opinions in.
CREATE OR REPLACE FUNCTION access.says(place uuid, reporter uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN access.everywhere() OR coalesce(CASE
        WHEN access.role() = 'CITIZEN' THEN access.actor() = 'anonymous' OR reporter = access.pid()
        WHEN access.role() IN ('INTAKE', 'LEADER') THEN access.reaches(place)
    END, false);
END $$;

-- Visits and the rota ----------------------------------------------------------------------------------------------------

-- holds: the post is, or was, of the official behind the account.
CREATE OR REPLACE FUNCTION access.holds(post uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 50
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (SELECT FROM post_holding h WHERE h.id = post AND h.official_id = access.official());
END $$;

CREATE OR REPLACE FUNCTION access.at_site(at_site uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN access.reaches((SELECT s.region_id FROM site s WHERE s.id = at_site));
END $$;

-- visits: it may take steps of the visit: who leads it or takes part, and the intake and the supervision of the place.
CREATE OR REPLACE FUNCTION access.visits(visit uuid, at_site uuid, lead uuid, by_whom text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN access.everywhere() OR coalesce(CASE
        WHEN access.role() = 'LEADER' THEN access.holds(lead) OR access.recorded(by_whom)
            OR EXISTS (SELECT FROM visit_participant p WHERE p.visit_id = visit AND access.holds(p.post_id))
        WHEN access.role() IN ('INTAKE', 'SUPERVISOR') THEN access.at_site(at_site)
    END, false);
END $$;

-- enters_visit: it may plan or record a visit there: who leads it, and leaders, the intake and the supervision of the place.
CREATE OR REPLACE FUNCTION access.enters_visit(at_site uuid, lead uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 AS $$
BEGIN
    RETURN access.everywhere() OR coalesce(access.role() = 'LEADER' AND access.holds(lead)
        OR access.role() IN ('LEADER', 'INTAKE', 'SUPERVISOR') AND access.at_site(at_site), false);
END $$;

CREATE OR REPLACE FUNCTION access.steps_visit(visit_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN coalesce((SELECT access.visits(v.id, v.site_id, v.lead_id, v.recorded_by) FROM visit v WHERE v.id = visit_id), false);
END $$;

CREATE OR REPLACE FUNCTION access.attests(visit_id uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN access.everywhere() OR coalesce(access.role() IN ('CALLER', 'SUPERVISOR', 'INTAKE')
        AND (SELECT access.at_site(v.site_id) FROM visit v WHERE v.id = visit_id), false);
END $$;

-- Campaigns --------------------------------------------------------------------------------------------------------------

-- in_campaign: one of the regions that the campaign treats is reached, or the unit leads it.
CREATE OR REPLACE FUNCTION access.in_campaign(of_campaign uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN access.unbound() OR EXISTS (SELECT FROM campaign_region r WHERE r.campaign_id = of_campaign AND r.role = 'TREATED' AND access.within(r.region_id))
        OR EXISTS (SELECT FROM campaign c WHERE c.id = of_campaign AND c.lead_unit_id = access.unit());
END $$;

CREATE OR REPLACE FUNCTION access.campaigns(of_campaign uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 AS $$
BEGIN
    RETURN access.everywhere() OR coalesce(access.role() IN ('CAMPAIGN_LEAD', 'SUPERVISOR', 'DISPATCHER') AND access.in_campaign(of_campaign), false);
END $$;

-- treats: a campaign is nominated for regions that are reached, all of them; what it is compared with may lie elsewhere.
CREATE OR REPLACE FUNCTION access.treats(of_campaign uuid, place uuid, part text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN access.everywhere() OR coalesce(access.role() IN ('CAMPAIGN_LEAD', 'LEADER')
        AND CASE part WHEN 'TREATED' THEN access.within(place) ELSE access.in_campaign(of_campaign) END, false);
END $$;

-- owns_task: the unit, or the official's post, answers for the task.
CREATE OR REPLACE FUNCTION access.owns_task(owner_unit uuid, owner_post uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN coalesce(owner_unit = access.unit(), false) OR owner_post IS NOT NULL AND access.holds(owner_post);
END $$;

CREATE OR REPLACE FUNCTION access.has_task(of_campaign uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN EXISTS (SELECT FROM campaign_task t WHERE t.campaign_id = of_campaign AND access.owns_task(t.owner_unit_id, t.owner_post_id));
END $$;

-- in_discussion: it lies where the role reaches.
CREATE OR REPLACE FUNCTION access.in_discussion(of_discussion uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 100
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN access.reaches((SELECT d.region_id FROM discussion d WHERE d.id = of_discussion));
END $$;

-- shows_file: the file is named as evidence by a claim on an issue, or a task, that it may know all of.
CREATE OR REPLACE FUNCTION access.shows_file(sha256 text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    named text[] := ARRAY['sha256:' || sha256];
BEGIN
    RETURN EXISTS (SELECT FROM claim c JOIN issue i ON i.id = c.issue_id WHERE c.evidence <> '{}' AND c.evidence @> named
            AND access.knows_issue(i.id, i.region_id, i.lead_unit_id, i.recorded_by))
        OR EXISTS (SELECT FROM campaign_task t WHERE t.evidence <> '{}' AND t.evidence @> named
            AND (access.owns_task(t.owner_unit_id, t.owner_post_id) OR access.in_campaign(t.campaign_id)))
        OR EXISTS (SELECT FROM skill_record r WHERE r.evidence = named[1] AND (r.official_id = access.official() OR access.role() IN ('ASSESSOR', 'SUPERVISOR')));
END $$;

-- was_uploaded: somebody brought the file, whoever may read it. Who names it as evidence knows what it holds, or could not name it.
CREATE OR REPLACE FUNCTION access.was_uploaded(file text) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM evidence_file f WHERE f.sha256 = file);
END $$;

-- Policies ---------------------------------------------------------------------------------------------------------------

-- shapes: it may take part in changing the policy: the unit that owns it, and leaders, supervisors, campaigns and assessors of its place.
CREATE OR REPLACE FUNCTION access.shapes(of_policy uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN access.everywhere() OR coalesce(CASE
        WHEN access.role() = 'POLICY_OWNER' THEN EXISTS (SELECT FROM policy p WHERE p.id = of_policy AND p.owner_unit_id = access.unit())
        WHEN access.role() IN ('LEADER', 'SUPERVISOR', 'CAMPAIGN_LEAD', 'ASSESSOR') THEN access.reaches((SELECT p.region_id FROM policy p WHERE p.id = of_policy))
    END, false);
END $$;

CREATE OR REPLACE FUNCTION access.shapes_change(of_change uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN coalesce((SELECT access.shapes(c.policy_id) FROM policy_change c WHERE c.id = of_change), false);
END $$;

-- Subjects ---------------------------------------------------------------------------------------------------------------

-- assesses: it reviews and assesses what lies in its regions. A unit of no region lies outside of nobody's.
CREATE OR REPLACE FUNCTION access.assesses(subject_unit uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 200
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    RETURN coalesce(access.role() = 'SYSTEM' OR access.role() IN ('ASSESSOR', 'SUPERVISOR') AND access.reaches((SELECT region_id FROM org_unit WHERE id = subject_unit)), false);
END $$;

-- sees_subject: it may see what is said of a unit or of an official in a post: the subject itself, and who assesses it.
CREATE OR REPLACE FUNCTION access.sees_subject(subject_unit uuid, subject_post uuid, subject_official uuid) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500 AS $$
BEGIN
    RETURN coalesce(subject_official = access.official(), false)
        OR subject_post IS NULL AND coalesce(access.role() = 'UNIT_HEAD' AND subject_unit = access.unit(), false) OR access.assesses(subject_unit);
END $$;

-- assesses_official: a unit in which the official holds a post at that moment lies where it assesses.
CREATE OR REPLACE FUNCTION access.assesses_official(subject uuid, at timestamptz) RETURNS boolean LANGUAGE plpgsql STABLE PARALLEL SAFE COST 500
    SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    on_day date := (at AT TIME ZONE 'Asia/Shanghai')::date;
BEGIN
    RETURN EXISTS (SELECT FROM post_holding h WHERE h.official_id = subject AND h.held_from <= on_day AND (h.held_to IS NULL OR h.held_to > on_day)
        AND access.assesses(h.org_unit_id));
END $$;

-- How a table joins --------------------------------------------------------------------------------------------------------

CREATE TABLE IF NOT EXISTS access.exemption (name text PRIMARY KEY, reason text NOT NULL CHECK (reason <> ''));
COMMENT ON TABLE access.exemption IS 'Tables without row-level security, and why.';

-- protect puts a table under row-level security. Each argument is a condition on its rows, for the API: what it reads, what it adds, what it
-- changes (the row before and after), and what it may lock, if that is more. Without a condition, it is refused.
CREATE OR REPLACE FUNCTION access.protect(protected regclass, reads text, adds text DEFAULT NULL, changes text DEFAULT NULL, locks text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    old record;
BEGIN
    FOR old IN SELECT polname FROM pg_policy WHERE polrelid = protected LOOP
        EXECUTE format('DROP POLICY %I ON %s', old.polname, protected);
    END LOOP;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', protected);
    EXECUTE format('CREATE POLICY app_reads ON %s FOR SELECT TO groundwork_app USING (%s)', protected, reads);
    IF adds IS NOT NULL THEN
        EXECUTE format('CREATE POLICY app_adds ON %s FOR INSERT TO groundwork_app WITH CHECK (%s)', protected, adds);
    END IF;
    IF changes IS NOT NULL OR locks IS NOT NULL THEN
        EXECUTE format('CREATE POLICY app_changes ON %s FOR UPDATE TO groundwork_app USING (%s) WITH CHECK (%s)', protected,
            coalesce(locks, changes), coalesce(changes, 'false'));
    END IF;
    EXECUTE format('CREATE POLICY jobs ON %s TO groundwork_jobs USING (true) WITH CHECK (true)', protected);
    EXECUTE format('CREATE POLICY etl ON %s FOR SELECT TO groundwork_etl USING (true)', protected);
END $$;

-- reference is a table that everybody reads and the system alone writes.
CREATE OR REPLACE FUNCTION access.reference(protected regclass) RETURNS void LANGUAGE sql AS $$
    SELECT access.protect(protected, reads => 'true', adds => '(SELECT access.role()) = ''SYSTEM''', changes => '(SELECT access.role()) = ''SYSTEM''')
$$;

CREATE OR REPLACE FUNCTION access.exempt(name text, reason text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO access.exemption (name, reason) VALUES (name, reason) ON CONFLICT (name) DO UPDATE SET reason = excluded.reason
$$;
TRUNCATE access.exemption;
REVOKE ALL ON FUNCTION access.protect, access.reference, access.exempt FROM PUBLIC;

-- The tables --------------------------------------------------------------------------------------------------------------

SELECT access.exempt('calendar_day', 'The calendar is the same for everybody; operators alone write it.');
SELECT access.exempt('region_boundary', 'Where regions lie is the same for everybody; operators alone write it.');
SELECT access.exempt('region_neighbour', 'Which regions touch is the same for everybody; operators alone write it.');
SELECT access.exempt('api_key', 'Read before it is known who asks: a row is found by the digest of its key alone.');
SELECT access.exempt('displacement_key', 'One row for everybody: points are displaced with it. Operators alone write it.');

SELECT access.reference(t.name::regclass) FROM unnest('{region,region_population,site,category,org_unit,dispatch_rule,official,post_holding,target_version}'::text[]) AS t (name);

SELECT access.protect('role_binding', reads => 'account = (SELECT access.actor()) OR (SELECT access.role()) = ''SYSTEM''');
SELECT access.protect('mutation_receipt', reads => 'actor = (SELECT access.actor())', adds => 'actor = (SELECT access.actor())');
SELECT access.protect('evidence_file',
    reads => '(SELECT access.everywhere()) OR recorded_by = (SELECT access.known_as()) OR (SELECT access.works()) AND access.shows_file(sha256)', adds => 'recorded_by = (SELECT access.actor())',
    changes => 'recorded_by = (SELECT access.actor())');

-- Nobody writes history in another's name or role; what follows by itself is written in that of the system. Unknown nouns are for those who work.
SELECT access.protect('entity_event',
    reads => $$CASE noun WHEN 'visit' THEN true WHEN 'discussion' THEN true WHEN 'campaign' THEN true WHEN 'policy_change' THEN true
        WHEN 'rota_slot' THEN EXISTS (SELECT FROM rota_slot s WHERE s.id = entity_id)
        WHEN 'campaign_task' THEN EXISTS (SELECT FROM campaign_task t WHERE t.id = entity_id)
        WHEN 'target' THEN EXISTS (SELECT FROM target t WHERE t.id = entity_id)
        WHEN 'formalism_flag' THEN EXISTS (SELECT FROM formalism_flag f WHERE f.id = entity_id)
        WHEN 'assessment' THEN EXISTS (SELECT FROM assessment a WHERE a.id = entity_id)
        ELSE (SELECT access.works()) END$$,
    adds => 'access.own_deed(actor, actor_role, actor_unit_id)');

SELECT access.protect('opinion',
    reads => $$confidentiality <> 'CONFIDENTIAL' OR (SELECT access.everywhere())
        OR (SELECT access.works()) AND access.below(region_id, (SELECT access.roots()))
        OR access.knows_opinion(id, region_id, reporter_pid, secret_digest, recorded_by)$$,
    adds => 'access.says(region_id, reporter_pid)', locks => 'true');
-- What knows_issue says, part by part: what is left to functions that look rows up is for units, citizens and those who broke a glass.
SELECT access.protect('issue',
    reads => $$NOT confidential OR (SELECT access.everywhere())
        OR (SELECT access.works()) AND (recorded_by = (SELECT access.known_as()) OR lead_unit_id = (SELECT access.unit())
            OR CASE WHEN region_id IS NULL THEN (SELECT access.provincial()) ELSE access.below(region_id, (SELECT access.roots())) END
            OR (SELECT access.unit()) IS NOT NULL AND access.has_leg(id))
        OR (SELECT access.role()) = 'CITIZEN' AND access.reported(id)
        OR (SELECT access.has_glass()) AND access.broke_glass(NULL, id)$$,
    adds => 'access.registers(region_id, recorded_by)', changes => 'access.works_on(id, region_id, lead_unit_id)');
SELECT access.protect('issue_opinion', reads => 'EXISTS (SELECT FROM issue i WHERE i.id = issue_id)', adds => 'access.links(issue_id, opinion_id)');
SELECT access.protect('issue_event', reads => 'EXISTS (SELECT FROM issue i WHERE i.id = issue_id)',
    adds => 'access.own_deed(actor, actor_role, actor_unit_id) AND access.works_on_issue(issue_id)');
SELECT access.protect(t.name::regclass, reads => 'EXISTS (SELECT FROM issue i WHERE i.id = issue_id)', adds => 'access.works_on_issue(issue_id)',
    changes => 'access.works_on_issue(issue_id)') FROM unnest('{dispatch_leg,clock_spell,claim}'::text[]) AS t (name);
SELECT access.protect('feedback', reads => 'EXISTS (SELECT FROM issue i WHERE i.id = issue_id)', adds => 'access.works_on_issue(issue_id)');
SELECT access.protect('callback_attempt', reads => 'EXISTS (SELECT FROM claim c WHERE c.id = claim_id)',
    adds => 'EXISTS (SELECT FROM claim c WHERE c.id = claim_id AND access.works_on_issue(c.issue_id))');
SELECT access.protect('notification',
    reads => $$to_role = (SELECT access.role()) AND (to_unit_id IS NULL OR to_unit_id = (SELECT access.unit()))
        AND (region_id IS NULL OR (SELECT access.unbound()) OR to_unit_id IS NOT NULL OR access.below(region_id, (SELECT access.roots())))$$,
    adds => $$CASE WHEN glass_id IS NULL THEN access.works_on_issue(issue_id) ELSE EXISTS (SELECT FROM glass g WHERE g.id = glass_id) END$$,
    changes => $$to_role = (SELECT access.role()) AND (to_unit_id IS NULL OR to_unit_id = (SELECT access.unit()))
        AND (region_id IS NULL OR (SELECT access.unbound()) OR to_unit_id IS NOT NULL OR access.within(region_id))$$);

SELECT access.protect('glass', reads => $$account = (SELECT access.actor()) OR (SELECT access.role()) IN ('PRIVACY_OFFICER', 'SYSTEM')$$,
    adds => $$account = (SELECT access.actor()) AND role = (SELECT access.role())$$, changes => $$(SELECT access.role()) = 'PRIVACY_OFFICER'$$);

SELECT access.protect('visit', reads => 'true', adds => 'access.enters_visit(site_id, lead_id)', changes => 'access.visits(id, site_id, lead_id, recorded_by)',
    locks => 'access.visits(id, site_id, lead_id, recorded_by) OR access.attests(id)');
SELECT access.protect('visit_participant', reads => 'true', adds => 'access.steps_visit(visit_id)');
SELECT access.protect('attestation', reads => 'true', adds => 'access.attests(visit_id)');
SELECT access.protect('rota_plan', reads => 'true', adds => $$(SELECT access.everywhere()) OR (SELECT access.role()) = 'SUPERVISOR' AND access.within(region_id)$$);
SELECT access.protect('rota_slot',
    reads => $$(SELECT access.everywhere()) OR ((SELECT access.works()) OR (SELECT access.role()) = 'ANALYST') AND ((SELECT access.unbound()) OR access.below(region_id, (SELECT access.roots())) OR access.holds(post_id))$$,
    adds => $$(SELECT access.everywhere()) OR (SELECT access.role()) = 'SUPERVISOR' AND access.within(region_id)$$,
    changes => $$(SELECT access.everywhere()) OR (SELECT access.role()) = 'SUPERVISOR' AND access.within(region_id)$$);

SELECT access.protect('campaign', reads => 'true',
    adds => $$(SELECT access.everywhere()) OR (SELECT access.role()) IN ('CAMPAIGN_LEAD', 'LEADER') AND recorded_by = (SELECT access.actor())$$,
    changes => 'access.campaigns(id)', locks => 'access.campaigns(id) OR access.has_task(id)');
SELECT access.protect('campaign_region', reads => 'true', adds => 'access.treats(campaign_id, region_id, role)', changes => 'access.treats(campaign_id, region_id, role)');
SELECT access.protect(t.name::regclass, reads => 'true', adds => 'access.campaigns(campaign_id)') FROM unnest('{campaign_criterion,campaign_result}'::text[]) AS t (name);
SELECT access.protect('campaign_task',
    reads => $$(SELECT access.everywhere()) OR ((SELECT access.works()) OR (SELECT access.role()) = 'ANALYST') AND (access.owns_task(owner_unit_id, owner_post_id) OR access.in_campaign(campaign_id))$$,
    adds => 'access.campaigns(campaign_id)', changes => $$access.campaigns(campaign_id) OR (SELECT access.role()) IN ('HANDLER', 'UNIT_HEAD', 'CAMPAIGN_LEAD', 'LEADER')
        AND access.owns_task(owner_unit_id, owner_post_id)$$);
SELECT access.protect('campaign_issue', reads => 'EXISTS (SELECT FROM issue i WHERE i.id = issue_id)', adds => 'access.campaigns(campaign_id)', changes => 'access.campaigns(campaign_id)');

SELECT access.protect('policy', reads => 'true',
    adds => $$(SELECT access.everywhere()) OR (SELECT access.role()) = 'POLICY_OWNER' AND owner_unit_id = (SELECT access.unit())$$, locks => 'access.shapes(id)');
SELECT access.protect(t.name::regclass, reads => 'true', adds => 'access.shapes(policy_id)', changes => 'access.shapes(policy_id)')
    FROM unnest('{policy_change,policy_version}'::text[]) AS t (name);
SELECT access.protect(t.name::regclass, reads => 'true', adds => 'access.shapes_change(policy_change_id)')
    FROM unnest('{policy_rollout,evidence_link,policy_evaluation}'::text[]) AS t (name);

SELECT access.protect('research_question', reads => 'account = (SELECT access.actor())', adds => 'account = (SELECT access.actor())');

SELECT access.protect(t.name::regclass, reads => 'true', adds => $$(SELECT access.everywhere()) OR (SELECT access.role()) = 'SUPERVISOR' AND access.within(region_id)$$)
    FROM unnest('{survey_wave,survey_batch}'::text[]) AS t (name);
SELECT access.protect('discussion', reads => 'true',
    adds => $$(SELECT access.everywhere()) OR (SELECT access.role()) IN ('INTAKE', 'UNIT_HEAD', 'LEADER', 'SUPERVISOR', 'CAMPAIGN_LEAD', 'POLICY_OWNER') AND access.reaches(region_id)$$,
    changes => $$(SELECT access.everywhere()) OR (SELECT access.role()) IN ('INTAKE', 'UNIT_HEAD', 'LEADER', 'SUPERVISOR', 'CAMPAIGN_LEAD', 'POLICY_OWNER') AND access.reaches(region_id)$$,
    locks => 'true');
SELECT access.protect('discussion_post', reads => 'true', 
    adds => $$author_role = (SELECT access.role()) AND (author_role = 'CITIZEN' OR (SELECT access.unbound()) OR access.in_discussion(discussion_id))$$,
    changes => $$(SELECT access.everywhere()) OR (SELECT access.role()) = 'SUPERVISOR' AND access.in_discussion(discussion_id)$$);
SELECT access.protect('discussion_support', reads => 'true', adds => $$(SELECT access.role()) = 'CITIZEN'$$);
SELECT access.protect('note_check', reads => '(SELECT access.role()) IN (''ASSESSOR'', ''SUPERVISOR'') OR official_id = (SELECT access.official())', adds => '(SELECT access.role()) = ''SYSTEM''');
SELECT access.protect('visit_policy_item', reads => 'true', adds => 'access.steps_visit(visit_id)');

-- Skills: assessors and supervisors see all of them and officials their own; an assessor writes in its own regions (docs/decisions/0250-assessors-write-in-their-regions.md).
SELECT access.protect('training', reads => '(SELECT access.works())', adds => $$(SELECT access.role()) = 'ASSESSOR' AND access.assesses(unit_id)$$);
SELECT access.protect('skill_record', reads => 'may_see_skills_of(official_id)',
    adds => $$(SELECT access.role()) = 'ASSESSOR' AND access.assesses_official(official_id, at)$$);
SELECT access.protect('training_participation', reads => 'may_see_skills_of(official_id)',
    adds => $$(SELECT access.role()) = 'ASSESSOR' AND EXISTS (SELECT FROM training t WHERE t.id = training_id AND access.assesses(t.unit_id))$$);
DROP POLICY jobs ON skill_record; -- no chore has to do with what is said of persons here
DROP POLICY jobs ON training_participation;

-- What is said of units and officials.
SELECT access.protect('measure_definition', reads => 'true');
SELECT access.protect('measure_snapshot',
    reads => $$CASE WHEN subject_unit_id IS NULL THEN protected OR (SELECT access.works()) ELSE access.sees_subject(subject_unit_id, subject_post_id, subject_official_id) END$$,
    adds => 'recorded_by = (SELECT access.actor())');
SELECT access.protect('target',
    reads => $$access.sees_subject(subject_unit_id, subject_post_id, subject_official_id) OR (SELECT access.role()) = 'UNIT_HEAD' AND subject_unit_id = (SELECT access.unit())$$,
    adds => $$access.assesses(subject_unit_id) OR (SELECT access.role()) = 'UNIT_HEAD' AND subject_unit_id = (SELECT access.unit())$$,
    changes => $$access.assesses(subject_unit_id) OR (SELECT access.role()) = 'UNIT_HEAD' AND subject_unit_id = (SELECT access.unit())$$);
SELECT access.protect('formalism_flag', reads => 'access.sees_subject(subject_unit_id, subject_post_id, subject_official_id)', adds => '(SELECT access.role()) = ''SYSTEM''',
    changes => 'access.sees_subject(subject_unit_id, subject_post_id, subject_official_id)');
SELECT access.protect(t.name::regclass, reads => 'true', adds => '(SELECT access.role()) IN (''ASSESSOR'', ''SUPERVISOR'')')
    FROM unnest('{assessment_cycle,assessment_cycle_definition}'::text[]) AS t (name);
SELECT access.protect('assessment', reads => 'access.sees_subject(subject_unit_id, subject_post_id, subject_official_id)',
    adds => '(SELECT access.role()) = ''ASSESSOR'' AND access.assesses(subject_unit_id)',
    changes => 'access.sees_subject(subject_unit_id, subject_post_id, subject_official_id)');
SELECT access.protect(t.name::regclass, reads => 'EXISTS (SELECT FROM assessment a WHERE a.id = assessment_id)',
    adds => '(SELECT access.role()) = ''ASSESSOR'' AND EXISTS (SELECT FROM assessment a WHERE a.id = assessment_id)')
    FROM unnest('{assessment_snapshot,assessment_flag}'::text[]) AS t (name);

-- Search --------------------------------------------------------------------------------------------------------------------

-- Words are found by indexes of trigrams and of pairs, whose operators are not leakproof: under a policy no plan may use them. These views show
-- exactly what the policy shows (a test compares them), and let the planner. The owner of the tables sees all, as ever. Lists that search words read
-- the view instead of the table: joined with the table by id, Postgres 18 takes the two for one (self-join elimination), and the policy is back.
CREATE OR REPLACE VIEW access.opinion_words AS
    SELECT id, subject, text, source, external_id, channel, kind, received_at, received_precision, occurred_at, visit_id, reporter_pid, latitude, longitude,
        precision_m, region_id, site_id, confidentiality, supported, opposed, created_at, redacted_at FROM public.opinion
    WHERE confidentiality <> 'CONFIDENTIAL' OR (SELECT access.everywhere() OR NOT row_security_active('public.opinion'))
        OR access.knows_opinion(id, region_id, reporter_pid, secret_digest, recorded_by);
CREATE OR REPLACE VIEW access.issue_words AS
    SELECT l.issue_id, o.subject, o.text FROM public.issue_opinion l JOIN public.opinion o ON o.id = l.opinion_id
    WHERE o.confidentiality <> 'CONFIDENTIAL' OR (SELECT access.everywhere() OR NOT row_security_active('public.opinion'))
        OR access.knows_opinion(o.id, o.region_id, o.reporter_pid, o.secret_digest, o.recorded_by);
CREATE OR REPLACE VIEW access.issue_titles AS
    SELECT id, title FROM public.issue
    WHERE NOT confidential OR (SELECT access.everywhere() OR NOT row_security_active('public.issue')) OR access.knows_issue(id, region_id, lead_unit_id, recorded_by);

-- What changed since a snapshot, whoever may see it: ids alone, for the program to read as whoever follows. A row is new if its transaction was not
-- visible then; those before the snapshot's oldest are not looked at.
CREATE OR REPLACE FUNCTION access.changed_issues(since pg_snapshot, at_most int) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT DISTINCT issue_id FROM issue_event WHERE txid >= pg_snapshot_xmin(since) AND NOT pg_visible_in_snapshot(txid, since) LIMIT at_most
$$;
CREATE OR REPLACE FUNCTION access.new_notifications(since pg_snapshot, at_most int) RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT id FROM notification WHERE txid >= pg_snapshot_xmin(since) AND NOT pg_visible_in_snapshot(txid, since) LIMIT at_most
$$;
REVOKE ALL ON FUNCTION access.changed_issues, access.new_notifications FROM PUBLIC;
GRANT EXECUTE ON FUNCTION access.changed_issues, access.new_notifications TO groundwork_app, groundwork_jobs;

GRANT USAGE ON SCHEMA access TO groundwork_app, groundwork_jobs, groundwork_etl;
GRANT SELECT ON access.exemption, access.opinion_words, access.issue_words, access.issue_titles TO groundwork_app, groundwork_jobs;
