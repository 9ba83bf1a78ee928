package postgres

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"groundwork"
)

const (
	discussionColumns = "id, visit_id, region_id, topic, state, opened_at, closed_at, outcome, version, created_at"
	postColumns       = `id, discussion_id, kind, CASE WHEN withheld_at IS NULL OR access.role() IN ('SUPERVISOR', 'SYSTEM') THEN text ELSE '' END AS text,
	reply_to_id, author_pid, author_role, author_unit_id, at, created_at, withheld_at, withheld_reason, redacted_at, (SELECT count(*) FROM discussion_support s WHERE s.post_id = discussion_post.id) AS supports`
)

func discussionRequest(op string, by groundwork.Actor, input any) request[groundwork.Discussion] {
	return request[groundwork.Discussion]{op: op, by: by, input: input, table: "discussion", columns: discussionColumns,
		id: func(d *groundwork.Discussion) uuid.UUID { return d.ID }}
}

func postRequest(op string, by groundwork.Actor, input any) request[groundwork.DiscussionPost] {
	return request[groundwork.DiscussionPost]{op: op, by: by, input: input, table: "discussion_post", columns: postColumns,
		id: func(p *groundwork.DiscussionPost) uuid.UUID { return p.ID }}
}

// OpenDiscussion implements groundwork.DiscussionStore.
func (db *DB) OpenDiscussion(ctx context.Context, d groundwork.Deed, made groundwork.Discussion) (*groundwork.Discussion, groundwork.Receipt, error) {
	if err := made.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	return do(ctx, db, discussionRequest("open discussion", d.Actor, []any{d, made}), func(tx pgx.Tx) (*groundwork.Discussion, error) {
		step, move, err := (&groundwork.Discussion{}).Plan(groundwork.DiscussionStep{Deed: d, Kind: groundwork.DiscussionOpened}, groundwork.DiscussionFacts{Now: groundwork.Moment(db.now())})
		if err != nil {
			return nil, err
		}
		region := made.RegionID
		if region == uuid.Nil {
			if region, err = regionOfVisit(ctx, tx, *made.VisitID); err != nil {
				return nil, err
			}
		}
		opened, err := insert[groundwork.Discussion](ctx, tx, "discussion", discussionColumns, pgx.NamedArgs{"id": newID(made.ID), "visit_id": made.VisitID, "region_id": region,
			"topic": made.Topic, "state": move.To, "opened_at": step.At, "version": 1, "recorded_by": step.Actor.ID})
		if err != nil {
			return nil, err
		}
		return opened, addEntityEvent(ctx, tx, event("discussion", opened.ID, 1, "", opened.State, step.Kind, step.Deed, nil))
	})
}

func regionOfVisit(ctx context.Context, tx pgx.Tx, visit uuid.UUID) (uuid.UUID, error) {
	found, err := scalars[uuid.UUID](ctx, tx, "read visit", "SELECT s.region_id FROM visit v JOIN site s ON s.id = v.site_id WHERE v.id = @id", pgx.NamedArgs{"id": visit})
	if err == nil && len(found) == 0 {
		err = groundwork.Errorf(groundwork.CodeNotFound, "visit %s does not exist", visit)
	}
	if err != nil {
		return uuid.Nil, err
	}
	return found[0], nil
}

// CloseDiscussion implements groundwork.DiscussionStore.
func (db *DB) CloseDiscussion(ctx context.Context, s groundwork.DiscussionStep) (*groundwork.Discussion, groundwork.Receipt, error) {
	s.Kind = groundwork.DiscussionEnded
	return do(ctx, db, discussionRequest("close discussion", s.Actor, s), func(tx pgx.Tx) (*groundwork.Discussion, error) {
		d, err := lockDiscussion(ctx, tx, s.DiscussionID, "FOR UPDATE")
		if err != nil {
			return nil, err
		}
		facts := groundwork.DiscussionFacts{Now: groundwork.Moment(db.now())}
		if facts.Last, err = lastEventOf(ctx, tx, "discussion", d.ID, d.Version); err != nil {
			return nil, err
		}
		err = tx.QueryRow(ctx, `SELECT count(*) FROM discussion_post q WHERE q.discussion_id = @id AND q.kind = 'QUESTION' AND q.withheld_at IS NULL
			AND NOT EXISTS (SELECT FROM discussion_post a WHERE a.reply_to_id = q.id AND a.kind = 'ANSWER')`, pgx.NamedArgs{"id": d.ID}).Scan(&facts.Unanswered)
		if err != nil {
			return nil, err
		}
		s, move, err := d.Plan(s, facts)
		if err != nil {
			return nil, err
		}
		made, err := one[groundwork.Discussion](ctx, tx, "update discussion",
			"UPDATE discussion SET state = @state, version = version + 1, closed_at = @at, outcome = @outcome WHERE id = @id RETURNING "+discussionColumns,
			pgx.NamedArgs{"id": d.ID, "state": move.To, "at": s.At, "outcome": s.Outcome})
		if err != nil {
			return nil, err
		}
		return made, addEntityEvent(ctx, tx, event("discussion", d.ID, made.Version, d.State, made.State, s.Kind, s.Deed, nil))
	})
}

func lockDiscussion(ctx context.Context, tx pgx.Tx, id uuid.UUID, lock string) (*groundwork.Discussion, error) {
	d, err := one[groundwork.Discussion](ctx, tx, "lock discussion", "SELECT "+discussionColumns+" FROM discussion WHERE id = @id "+lock, pgx.NamedArgs{"id": id})
	if err == nil && d == nil {
		err = groundwork.Errorf(groundwork.CodeNotFound, "discussion %s does not exist", id)
	}
	return d, err
}

// Discussions implements groundwork.DiscussionStore.
func (db *DB) Discussions(ctx context.Context, f groundwork.DiscussionFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.Discussion], error) {
	c := where()
	c.under("region_id", f.Under)
	among(c, "visit_id", f.VisitIDs)
	among(c, "state", f.States)
	latest := order[groundwork.Discussion]{name: "OPENED_DESC", expression: "opened_at", cast: "timestamptz", descending: true,
		position: func(d *groundwork.Discussion) (string, uuid.UUID) { return moment(d.OpenedAt), d.ID }}
	return page(ctx, db, discussionColumns, "discussion", c, latest, p)
}

// DiscussionsByID implements groundwork.DiscussionStore.
func (db *DB) DiscussionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.Discussion, error) {
	return byID(ctx, db, discussionColumns, "discussion", ids, func(d *groundwork.Discussion) uuid.UUID { return d.ID })
}

// citizen is the pseudonym of who asks: that of the account, or, without one, that under which the opinion of the secret was given. An opinion
// that an office took down for somebody who told nothing of him- or herself has none: then one follows from the secret. Nil if nobody knows.
func citizen(ctx context.Context, tx pgx.Tx, by groundwork.Actor, secret string) (*uuid.UUID, error) {
	if by.ID != groundwork.Anonymous.ID {
		pids, err := pseudonyms(ctx, tx, ownSource, []string{by.ID})
		return new(pids[by.ID]), err
	}
	if secret == "" {
		return nil, nil
	}
	if err := prove(ctx, tx, secret); err != nil {
		return nil, err
	}
	found, err := scalars[*uuid.UUID](ctx, tx, "look up the secret",
		"SELECT coalesce(reporter_pid, encode(substr(sha256(secret_digest), 1, 16), 'hex')::uuid) FROM opinion WHERE secret_digest = @digest", pgx.NamedArgs{"digest": groundwork.SecretDigest(secret)})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// PostToDiscussion implements groundwork.DiscussionStore.
func (db *DB) PostToDiscussion(ctx context.Context, by groundwork.Actor, p groundwork.DiscussionPost, secret string) (*groundwork.DiscussionPost, groundwork.Receipt, error) {
	if err := p.Validate(); err != nil {
		return nil, groundwork.Receipt{}, err
	}
	var place uuid.UUID
	asked := postRequest("post to discussion", by, []any{p, secret})
	asked.region = &place
	return do(ctx, db, asked, func(tx pgx.Tx) (*groundwork.DiscussionPost, error) {
		p := p
		d, err := lockDiscussion(ctx, tx, p.DiscussionID, "FOR SHARE")
		if err != nil {
			return nil, err
		}
		place = d.RegionID
		facts := groundwork.PostFacts{State: d.State}
		if by.Role == groundwork.RoleCitizen {
			if p.AuthorPID, err = citizen(ctx, tx, by, secret); err != nil {
				return nil, err
			}
		}
		if p.ReplyToID != nil {
			facts.ReplyTo, err = one[groundwork.DiscussionPost](ctx, tx, "read post", "SELECT "+postColumns+" FROM discussion_post WHERE id = @id AND discussion_id = @discussion",
				pgx.NamedArgs{"id": p.ReplyToID, "discussion": d.ID})
			if err != nil {
				return nil, err
			}
		}
		if err := p.PostedBy(by, facts); err != nil {
			return nil, err
		}
		args := pgx.NamedArgs{"id": newID(p.ID), "discussion_id": d.ID, "kind": p.Kind, "text": p.Text, "reply_to_id": p.ReplyToID, "author_pid": p.AuthorPID,
			"author_role": by.Role, "author_unit_id": nil, "at": laterOf(groundwork.Moment(db.now()), d.OpenedAt), "recorded_by": by.ID}
		if by.Role == groundwork.RoleCitizen {
			args["recorded_by"] = "citizen" // the pseudonym says who; the account stays in the vault
		} else {
			args["author_unit_id"] = by.UnitID
		}
		return insert[groundwork.DiscussionPost](ctx, tx, "discussion_post", postColumns, args)
	})
}

func laterOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// SupportPost implements groundwork.DiscussionStore.
func (db *DB) SupportPost(ctx context.Context, by groundwork.Actor, post uuid.UUID, secret string) (*groundwork.DiscussionPost, groundwork.Receipt, error) {
	return do(ctx, db, postRequest("support post", by, []any{post, secret}), func(tx pgx.Tx) (*groundwork.DiscussionPost, error) {
		p, err := one[groundwork.DiscussionPost](ctx, tx, "read post", "SELECT "+postColumns+" FROM discussion_post WHERE id = @id", pgx.NamedArgs{"id": post})
		if err == nil && p == nil {
			err = groundwork.Errorf(groundwork.CodeNotFound, "discussion post %s does not exist", post)
		}
		if err != nil {
			return nil, err
		}
		d, err := lockDiscussion(ctx, tx, p.DiscussionID, "FOR SHARE")
		if err != nil {
			return nil, err
		}
		pid, err := citizen(ctx, tx, by, secret)
		if err != nil {
			return nil, err
		}
		if err := p.SupportedBy(by, pid, d.State); err != nil {
			return nil, err
		}
		if _, err := tx.Exec(ctx, "INSERT INTO discussion_support (post_id, supporter_pid) VALUES (@post, @pid) ON CONFLICT DO NOTHING", pgx.NamedArgs{"post": post, "pid": pid}); err != nil {
			return nil, err
		}
		return one[groundwork.DiscussionPost](ctx, tx, "read post", "SELECT "+postColumns+" FROM discussion_post WHERE id = @id", pgx.NamedArgs{"id": post})
	})
}

// StepPost implements groundwork.DiscussionStore.
func (db *DB) StepPost(ctx context.Context, s groundwork.PostStep) (*groundwork.DiscussionPost, groundwork.Receipt, error) {
	return do(ctx, db, postRequest("take step "+s.Kind+" of post", s.Actor, s), func(tx pgx.Tx) (*groundwork.DiscussionPost, error) {
		p, err := one[groundwork.DiscussionPost](ctx, tx, "lock post", "SELECT "+postColumns+" FROM discussion_post WHERE id = @id FOR UPDATE", pgx.NamedArgs{"id": s.PostID})
		if err == nil && p == nil {
			err = unreached(ctx, tx, s.Actor, "discussion_post", s.PostID)
		}
		if err == nil {
			err = p.Plan(s)
		}
		if err != nil {
			return nil, err
		}
		now := laterOf(groundwork.Moment(db.now()), p.At)
		before, after, args := "SHOWN", "WITHHELD", pgx.NamedArgs{"id": s.PostID, "at": &now, "reason": &s.Reason}
		if s.Kind == groundwork.PostRestored {
			before, after, args["at"], args["reason"] = "WITHHELD", "SHOWN", nil, nil
		}
		made, err := one[groundwork.DiscussionPost](ctx, tx, "update post",
			"UPDATE discussion_post SET withheld_at = @at, withheld_reason = @reason WHERE id = @id RETURNING "+postColumns, args)
		if err != nil {
			return nil, err
		}
		steps, err := scalars[int](ctx, tx, "count steps", "SELECT coalesce(max(seq), 0) FROM entity_event WHERE noun = 'discussion_post' AND entity_id = @id", pgx.NamedArgs{"id": s.PostID})
		if err != nil {
			return nil, err
		}
		if steps[0] == 0 {
			before = "" // the first of a history comes from nowhere
		}
		return made, addEntityEvent(ctx, tx, event("discussion_post", s.PostID, steps[0]+1, before, after, s.Kind, groundwork.Deed{Actor: s.Actor, At: now, Reason: s.Reason}, nil))
	})
}

// DiscussionPosts implements groundwork.DiscussionStore.
func (db *DB) DiscussionPosts(ctx context.Context, f groundwork.PostFilter, p groundwork.PageRequest) (groundwork.Page[*groundwork.DiscussionPost], error) {
	c := where()
	among(c, "discussion_id", f.DiscussionIDs)
	among(c, "kind", f.Kinds)
	earliest := order[groundwork.DiscussionPost]{name: "AT_ASC", expression: "at", cast: "timestamptz",
		position: func(p *groundwork.DiscussionPost) (string, uuid.UUID) { return moment(p.At), p.ID }}
	return page(ctx, db, postColumns, "discussion_post", c, earliest, p)
}

// DiscussionPostsByID implements groundwork.DiscussionStore.
func (db *DB) DiscussionPostsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*groundwork.DiscussionPost, error) {
	return byID(ctx, db, postColumns, "discussion_post", ids, func(p *groundwork.DiscussionPost) uuid.UUID { return p.ID })
}
