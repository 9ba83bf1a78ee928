package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"groundwork"
)

// wholeSubject fills in the unit and the official of a post.
func wholeSubject(ctx context.Context, tx pgx.Tx, s groundwork.Subject) (groundwork.Subject, error) {
	if err := s.Validate(); err != nil {
		return s, err
	}
	if s.SubjectPostID == nil {
		return s, nil
	}
	post, err := one[groundwork.PostHolding](ctx, tx, "read post", "SELECT "+postHoldingColumns+" FROM post_holding WHERE id = @id", pgx.NamedArgs{"id": s.SubjectPostID})
	if err != nil {
		return s, err
	}
	if post == nil {
		return s, groundwork.Invalid("subject.postId", "post %s does not exist; give another", s.SubjectPostID)
	}
	s.SubjectUnitID, s.SubjectOfficialID = &post.OrgUnitID, &post.OfficialID
	return s, nil
}

// fromOutside reports whether the actor acts for a unit that is neither the subject's nor below it.
func fromOutside(ctx context.Context, tx pgx.Tx, by groundwork.Actor, s groundwork.Subject) (is bool, err error) {
	err = tx.QueryRow(ctx, "SELECT @unit::uuid IS NOT NULL AND NOT unit_within(@unit, @subject)", pgx.NamedArgs{"unit": by.UnitID, "subject": s.SubjectUnitID}).Scan(&is)
	return is, err
}

// subjects narrows by whom rows speak of.
func (c *conditions) subjects(f groundwork.SubjectFilter) {
	among(c, "subject_unit_id", f.UnitIDs)
	among(c, "subject_post_id", f.PostIDs)
	among(c, "subject_official_id", f.OfficialIDs)
}

// visible leaves what the actor of the filter may see.
func (c *conditions) visible(f groundwork.SubjectFilter) {
	if f.SeenBy != nil {
		c.terms = append(c.terms, "("+c.seenBy(*f.SeenBy, false)+")")
	}
}

// seenBy is the condition under which the actor may see what is said of a subject, as groundwork.Subject.SeenBy. heads lets the head of a unit
// see what is said of the posts in it, too.
func (c *conditions) seenBy(by groundwork.Actor, heads bool) string {
	if (groundwork.Subject{}).SeenBy(by) {
		return "TRUE"
	}
	seen := "FALSE"
	if by.OfficialID != nil {
		seen = "subject_official_id = " + c.arg(*by.OfficialID)
	}
	if by.Role == groundwork.RoleUnitHead && by.UnitID != nil {
		seen += " OR subject_unit_id = " + c.arg(*by.UnitID)
		if !heads {
			seen += " AND subject_post_id IS NULL"
		}
	}
	return seen
}
