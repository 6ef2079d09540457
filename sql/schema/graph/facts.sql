-- auto_graph: the facts. A relation that memories said is a function of what each of them said (relation_sources):
-- whatever comes or goes, it is computed anew from those that are left. Relations made by hand are never changed.

-- A rule of predicates. `mutual`: it says the same both ways.
CREATE TYPE zerodb._graph_rule AS (predicate text, single_valued boolean, inverse text, mutual boolean);
-- A fact that a memory says. `since` and `until` bound when it is true; relation_id is the relation that it joins.
CREATE TYPE zerodb._graph_said AS (source_id bigint, predicate text, target_id bigint, fact text, quote text,
    confidence real,
    valid_at timestamptz, invalid_at timestamptz, since timestamptz, until timestamptz, single_valued boolean,
        relation_id bigint);
-- A relation: what it is by its sources (`ended`: where they say so), when it is true, and whether that is what is
-- stored.
CREATE TYPE zerodb._graph_fact AS (id bigint, source_id bigint, predicate text, target_id bigint, confidence real,
    fact text, valid_at timestamptz,
    said_at timestamptz, ended timestamptz, since timestamptz, until timestamptz, superseded_by bigint,
        single_valued boolean, mutual boolean);

-- The rules for some predicates: the tenant's own first, then those for all.
CREATE FUNCTION zerodb._graph_rules(memory zerodb._graph_memory, predicates text[]) RETURNS zerodb._graph_rule[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    rules zerodb._graph_rule[];
BEGIN
    EXECUTE format($q$
        SELECT array_agg(ROW(r.predicate, r.single_valued, r.inverse,
            coalesce(r.inverse = r.predicate, false))::zerodb._graph_rule)
        FROM (SELECT DISTINCT ON (p.predicate) p.*
            FROM %I.predicates AS p
            WHERE (p.user_id IS NULL OR p.user_id = $1) AND (p.project_id IS NULL OR p.project_id = $2)
                AND (p.predicate = ANY ($3) OR p.inverse = ANY ($3))
            ORDER BY p.predicate, p.user_id NULLS LAST, p.project_id NULLS LAST) AS r
        $q$, memory.store)
    INTO rules USING memory.user_id, memory.project_id, predicates;
    RETURN coalesce(rules, '{}');
END
$$;

-- What a memory says: `ids` has the entity of each place. Facts with the inverse of a predicate are turned round, so
-- that each is stored in one direction only; what says the same both ways, in the order of the ids. An entity has no
-- relation with itself, and of two that say the same the surer counts.
CREATE FUNCTION zerodb._graph_says(relations jsonb, ids bigint[], said_at timestamptz, rules zerodb._graph_rule[])
RETURNS zerodb._graph_said[]
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT ON (t.source_id, t.predicate, t.target_id) ROW(t.source_id, t.predicate, t.target_id,
            t.fact, t.quote, t.confidence, t.valid_at, t.invalid_at,
            coalesce(t.valid_at, least(_graph_says.said_at, t.invalid_at)), coalesce(t.invalid_at, 'infinity'),
            t.single_valued, NULL)::zerodb._graph_said
        FROM (SELECT CASE WHEN d.turned THEN o.b ELSE o.a END AS source_id,
                CASE WHEN d.turned THEN o.a ELSE o.b END AS target_id, d.predicate, o.fact, o.quote, o.confidence,
                o.valid_at, CASE WHEN o.invalid_at < o.valid_at THEN NULL ELSE o.invalid_at END AS invalid_at,
                coalesce(d.single_valued, false) AS single_valued, o.n
            FROM (SELECT ids[(u.e ->> 's')::integer + 1] AS a, ids[(u.e ->> 'o')::integer + 1] AS b,
                    u.e ->> 'p' AS predicate, u.e ->> 'fact' AS fact, u.e ->> 'quote' AS quote,
                    coalesce((u.e ->> 'confidence')::real, 1) AS confidence,
                    (u.e ->> 'valid_at')::timestamptz AS valid_at, (u.e ->> 'invalid_at')::timestamptz AS invalid_at,
                    u.n
                FROM jsonb_array_elements(relations) WITH ORDINALITY AS u (e, n)) AS o
            LEFT JOIN LATERAL (SELECT r.predicate, r.single_valued
                FROM unnest(rules) AS r
                WHERE r.inverse = o.predicate AND NOT r.mutual
                ORDER BY r.predicate
                LIMIT 1) AS i ON true
            LEFT JOIN unnest(rules) AS s ON s.predicate = o.predicate
            CROSS JOIN LATERAL (SELECT coalesce(i.predicate, o.predicate) AS predicate,
                CASE WHEN i.predicate IS NULL THEN s.single_valued ELSE i.single_valued END AS single_valued,
                i.predicate IS NOT NULL OR coalesce(s.mutual AND o.a > o.b, false) AS turned) AS d
            WHERE o.a <> o.b) AS t
        ORDER BY t.source_id, t.predicate, t.target_id, t.confidence DESC, t.n);
END
$$;

-- Gives each fact the relation that it joins: one that says the same of a time that overlaps. The one that this memory
-- joined before goes first, then the one that was true when it begins.
CREATE FUNCTION zerodb._graph_join_relations(memory zerodb._graph_memory, said zerodb._graph_said[])
RETURNS zerodb._graph_said[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    joined zerodb._graph_said[];
BEGIN
    EXECUTE format($q$
        SELECT array_agg(ROW(q.source_id, q.predicate, q.target_id, q.fact, q.quote, q.confidence, q.valid_at,
            q.invalid_at, q.since, q.until, q.single_valued, r.id)::zerodb._graph_said)
        FROM unnest($3) AS q
        LEFT JOIN LATERAL (SELECT r.id
            FROM %1$I.relations AS r
            LEFT JOIN %1$I.relation_sources AS own ON own.relation_id = r.id AND own.memory_id = $4
                AND own.memory_table = $5 AND %3$s
            WHERE r.source_id = q.source_id AND r.predicate = q.predicate AND r.target_id = q.target_id AND %2$s
                AND (own.relation_id IS NOT NULL
                    OR (q.since < coalesce(r.invalid_at, 'infinity')
                        AND q.until > coalesce(r.valid_at, least(r.said_at, r.invalid_at))))
            ORDER BY own.relation_id IS NULL, q.since < coalesce(r.valid_at, least(r.said_at, r.invalid_at)),
                r.expired_at IS NOT NULL, r.id
            LIMIT 1) AS r ON true
        $q$, memory.store, zerodb._graph_scope('r', memory), zerodb._graph_scope('own', memory))
    INTO joined USING memory.user_id, memory.project_id, said, memory.id, memory.memory_table;
    RETURN coalesce(joined, '{}');
END
$$;

-- Makes relations of the facts that join none, and makes the memory a source of all; returns them with their relations.
CREATE FUNCTION zerodb._graph_add_sources(memory zerodb._graph_memory, said zerodb._graph_said[])
RETURNS zerodb._graph_said[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format($q$
        -- made: the relations of the facts that join none.
        WITH made AS (INSERT INTO %1$I.relations (source_id, predicate, target_id, fact, confidence, valid_at,
                invalid_at, said_at, origin, user_id, project_id)
            SELECT q.source_id, q.predicate, q.target_id, q.fact, q.confidence, q.valid_at, q.invalid_at, $6,
                'extracted', $1, $2
            FROM unnest($3) AS q
            WHERE q.relation_id IS NULL
            RETURNING id, source_id, predicate, target_id)
        SELECT array_agg(ROW(q.source_id, q.predicate, q.target_id, q.fact, q.quote, q.confidence, q.valid_at,
            q.invalid_at, q.since, q.until, q.single_valued, coalesce(q.relation_id, m.id))::zerodb._graph_said)
        FROM unnest($3) AS q
        LEFT JOIN made AS m ON m.source_id = q.source_id AND m.predicate = q.predicate AND m.target_id = q.target_id
        $q$, memory.store)
    INTO said USING memory.user_id, memory.project_id, said, memory.id, memory.memory_table, memory.said_at;
    EXECUTE format($q$
        INSERT INTO %1$I.relation_sources AS s (relation_id, memory_table, memory_id, fact, quote, confidence,
            valid_at, invalid_at, said_at, user_id, project_id)
        SELECT q.relation_id, $5, $4, q.fact, q.quote, q.confidence, q.valid_at, q.invalid_at, $6, $1, $2
        FROM unnest($3) AS q
        ON CONFLICT ON CONSTRAINT relation_sources_pkey DO UPDATE
        SET fact = excluded.fact, quote = excluded.quote, confidence = excluded.confidence,
            valid_at = excluded.valid_at, invalid_at = excluded.invalid_at, said_at = excluded.said_at
        WHERE %2$s
        $q$, memory.store, zerodb._graph_scope('s', memory))
    USING memory.user_id, memory.project_id, said, memory.id, memory.memory_table, memory.said_at;
    RETURN said;
END
$$;

-- Writes what a memory says and forgets what it said before; returns its relations.
CREATE FUNCTION zerodb._graph_write_relations(memory zerodb._graph_memory, relations jsonb, ids bigint[])
RETURNS bigint[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    said zerodb._graph_said[] := '{}';
    fresh bigint[];
    kept bigint[] := '{}';
    gone bigint[];
BEGIN
    IF relations <> '[]' THEN
        said := zerodb._graph_says(relations, ids, memory.said_at,
            zerodb._graph_rules(memory, ARRAY(SELECT DISTINCT r ->> 'p' FROM jsonb_array_elements(relations) AS r)));
    END IF;
    IF cardinality(said) > 0 THEN
        said := zerodb._graph_join_relations(memory, said);
        fresh := ARRAY(SELECT q.relation_id FROM unnest(said) AS q WHERE q.relation_id IS NOT NULL);
        said := zerodb._graph_add_sources(memory, said);
        kept := ARRAY(SELECT q.relation_id FROM unnest(said) AS q);
    END IF;
    EXECUTE format($q$
        -- gone: the sources of facts that the memory does not say any more.
        WITH gone AS (DELETE FROM %I.relation_sources AS s
            WHERE s.memory_id = $3 AND s.memory_table = $4 AND s.relation_id <> ALL ($5) AND %s
            RETURNING s.relation_id)
        SELECT array_agg(g.relation_id)
        FROM gone AS g
        $q$, memory.store, zerodb._graph_scope('s', memory))
    INTO gone USING memory.user_id, memory.project_id, memory.id, memory.memory_table, kept;
    -- A relation that only this memory says is already what it says, unless another one ends it.
    PERFORM zerodb._graph_settle_facts(memory,
        fresh || gone || ARRAY(SELECT q.relation_id FROM unnest(said) AS q WHERE q.single_valued),
        gone IS NOT NULL OR EXISTS (SELECT FROM unnest(said) AS q WHERE q.single_valued));
    RETURN kept;
END
$$;
