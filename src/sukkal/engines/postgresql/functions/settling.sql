-- Holding claims longer, and settling what they hold. The place of their queue is held.

-- Whether the claim of each call was alive.
CREATE FUNCTION extend(
    q_project text[], q_kind text[], q_name text[],
    c_queue integer[], c_claim text[], c_ttl_s bigint[], c_grace_s bigint[], c_now_ms bigint[]
) RETURNS boolean[] LANGUAGE plpgsql AS $$
DECLARE
    numbers bigint[] := hold_queues(q_project, q_kind, q_name);
    ends bigint[] := ends_of(numbers);
    outcomes boolean[] := '{}';
    its_queue bigint;
    its_claim bigint;
    until_ms bigint;
BEGIN
    FOR nth IN 1 .. cardinality(c_claim) LOOP
        its_queue := numbers[c_queue[nth]];
        until_ms := c_now_ms[nth] + c_ttl_s[nth] * 1000;
        UPDATE claims AS c
        SET ttl_s = c_ttl_s[nth], grace_s = c_grace_s[nth], created_ms = c_now_ms[nth], expires_ms = until_ms
        WHERE c.queue = its_queue AND c.id = c_claim[nth] AND c.expires_ms > c_now_ms[nth]
            AND ends[c_queue[nth]] > c_now_ms[nth]
        RETURNING c.number INTO its_claim;
        outcomes := outcomes || FOUND;
        CONTINUE WHEN NOT FOUND;
        WITH held AS (
            UPDATE messages AS m
            SET visible_ms = until_ms,
                ttl_s = (kept(m.ttl_s, m.expires_ms, until_ms, c_ttl_s[nth], c_grace_s[nth])).ttl_s,
                expires_ms = (kept(m.ttl_s, m.expires_ms, until_ms, c_ttl_s[nth], c_grace_s[nth])).expires_ms,
                lifetime = CASE WHEN m.lifetime = -1 THEN -1 ELSE lifetime_class(
                    (kept(m.ttl_s, m.expires_ms, until_ms, c_ttl_s[nth], c_grace_s[nth])).expires_ms - until_ms
                ) END
            WHERE m.queue = its_queue AND m.claim = its_claim AND m.expires_ms > c_now_ms[nth]
            RETURNING m.queue, m.lifetime
        )
        INSERT INTO classes (queue, lifetime) SELECT DISTINCT h.queue, h.lifetime FROM held AS h
        ON CONFLICT DO NOTHING;
        UPDATE places SET low_ms = until_ms WHERE queue = its_queue AND low_ms > until_ms;
    END LOOP;
    RETURN outcomes;
END
$$;

-- Settle the message of a live claim: 0 forget it, 1 give it back, 2 set it aside. The sequence is returned if it is gone.
CREATE FUNCTION settle_one(
    place messages, how integer, delay_s bigint, revive boolean, new_attributes bytea, now_ms bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    free_ms bigint := CASE WHEN how = 1 AND delay_s > 0 THEN now_ms + delay_s * 1000 ELSE place.created_ms END;
    its_lifetime bigint := -1;
BEGIN
    IF how = 0 THEN
        DELETE FROM messages AS m WHERE m.queue = place.queue AND m.sequence = place.sequence;
        RETURN place.sequence;
    END IF;
    IF how = 1 AND (place.lifetime <> -1 OR revive) THEN
        its_lifetime := lifetime_class(place.expires_ms - free_ms);
        PERFORM note_classes(ARRAY[place.queue], ARRAY[its_lifetime]);
        UPDATE places SET low_ms = free_ms WHERE queue = place.queue AND low_ms > free_ms;
    END IF;
    UPDATE messages AS m
    SET claim = NULL, visible_ms = free_ms, lifetime = its_lifetime,
        attributes = coalesce(new_attributes, m.attributes)
    WHERE m.queue = place.queue AND m.sequence = place.sequence;
    RETURN NULL;
END
$$;

-- "found" tells whether the claim of each call was alive. An outcome is 0 done, 1 not claimed, 2 held by another claim,
-- 3 not there, and nothing for an item whose claim was not alive.
CREATE FUNCTION settle(
    q_project text[], q_kind text[], q_name text[],
    c_queue integer[], c_claim text[], c_now_ms bigint[],
    c_how integer[], c_delay_s bigint[], c_revive boolean[], c_attributes bytea[],
    i_call integer[], i_id text[], i_how integer[], i_delay_s bigint[], i_revive boolean[], i_attributes bytea[],
    OUT alive boolean[], OUT outcomes integer[]
) LANGUAGE plpgsql AS $$
DECLARE
    numbers bigint[] := hold_queues(q_project, q_kind, q_name);
    ends bigint[] := ends_of(numbers);
    claims_found bigint[] := '{}';
    gone_queues bigint[] := '{}';
    gone_sequences bigint[] := '{}';
    its_claim bigint;
    its_sequence bigint;
    now_ms bigint;
    place messages;
BEGIN
    FOR nth IN 1 .. cardinality(c_claim) LOOP
        SELECT c.number INTO its_claim FROM claims AS c
        WHERE c.queue = numbers[c_queue[nth]] AND c.id = c_claim[nth] AND c.expires_ms > c_now_ms[nth]
            AND ends[c_queue[nth]] > c_now_ms[nth];
        claims_found := claims_found || its_claim;
    END LOOP;
    alive := ARRAY(SELECT n IS NOT NULL FROM unnest(claims_found) WITH ORDINALITY AS c (n, nth) ORDER BY c.nth);
    outcomes := '{}';
    FOR nth IN 1 .. cardinality(i_id) LOOP
        IF NOT alive[i_call[nth]] THEN
            outcomes := outcomes || NULL::integer;
            CONTINUE;
        END IF;
        now_ms := c_now_ms[i_call[nth]];
        SELECT m.* INTO place FROM messages AS m
        WHERE m.queue = numbers[c_queue[i_call[nth]]] AND m.id = i_id[nth] AND m.expires_ms > now_ms;
        IF NOT FOUND THEN
            outcomes := outcomes || 3;
        ELSIF place.claim IS NULL OR place.visible_ms <= now_ms THEN
            outcomes := outcomes || 1;
        ELSIF place.claim <> claims_found[i_call[nth]] THEN
            outcomes := outcomes || 2;
        ELSE
            its_sequence := settle_one(place, i_how[nth], i_delay_s[nth], i_revive[nth], i_attributes[nth], now_ms);
            outcomes := outcomes || 0;
            IF its_sequence IS NOT NULL THEN
                gone_queues := gone_queues || place.queue;
                gone_sequences := gone_sequences || its_sequence;
            END IF;
        END IF;
    END LOOP;
    FOR nth IN 1 .. cardinality(c_claim) LOOP
        CONTINUE WHEN NOT alive[nth] OR c_how[nth] IS NULL;
        FOR place IN
            SELECT m.* FROM messages AS m
            WHERE m.queue = numbers[c_queue[nth]] AND m.claim = claims_found[nth] AND m.expires_ms > c_now_ms[nth]
        LOOP
            its_sequence := settle_one(
                place, c_how[nth], c_delay_s[nth], c_revive[nth], c_attributes[nth], c_now_ms[nth]
            );
            IF its_sequence IS NOT NULL THEN
                gone_queues := gone_queues || place.queue;
                gone_sequences := gone_sequences || its_sequence;
            END IF;
        END LOOP;
        DELETE FROM claims AS c WHERE c.queue = numbers[c_queue[nth]] AND c.number = claims_found[nth];
    END LOOP;
    PERFORM note_gone(gone_queues, gone_sequences);
END
$$;
