package postgres

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"groundwork"
)

// Limits of a filter: a deeper or larger one costs more than it finds.
const (
	maxFilterDepth = 3
	maxFilterParts = 100
	maxFilterTexts = 5
)

// issueConditions turns a filter into conditions. It looks up the issues that say what is searched for, unless these are many.
func (db *DB) issueConditions(ctx context.Context, f groundwork.IssueFilter) (*conditions, error) {
	c := where()
	c.saying = func(text string) ([]uuid.UUID, error) { return issuesSaying(ctx, db.reads(), text) }
	parts := 0
	if err := c.issue(f, 0, &parts); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *conditions) issue(f groundwork.IssueFilter, depth int, parts *int) error {
	*parts++
	if depth > maxFilterDepth {
		return groundwork.Invalid("filter", "and, or and not are nested deeper than %d; simplify the filter", maxFilterDepth)
	}
	if *parts > maxFilterParts {
		return groundwork.Invalid("filter", "the filter has more than %d parts; simplify it", maxFilterParts)
	}
	c.issueFields(f)
	if err := c.issueText(f.Text); err != nil {
		return err
	}
	if err := c.combined(f.And, " AND ", depth, parts); err != nil {
		return err
	}
	if err := c.combined(f.Or, " OR ", depth, parts); err != nil {
		return err
	}
	if f.Not == nil {
		return nil
	}
	inner, err := c.nested(*f.Not, depth, parts)
	c.terms = append(c.terms, "("+inner+") IS NOT TRUE") // a row about which nothing is known is not what was excluded
	return err
}

func (c *conditions) combined(filters []groundwork.IssueFilter, operator string, depth int, parts *int) error {
	if len(filters) == 0 {
		return nil
	}
	terms := make([]string, len(filters))
	for i, f := range filters {
		inner, err := c.nested(f, depth, parts)
		if err != nil {
			return err
		}
		terms[i] = "(" + inner + ")"
	}
	c.terms = append(c.terms, "("+strings.Join(terms, operator)+")")
	return nil
}

// nested builds the conditions of a filter inside another one; they share the arguments.
func (c *conditions) nested(f groundwork.IssueFilter, depth int, parts *int) (string, error) {
	inner := &conditions{args: c.args, saying: c.saying, texts: c.texts}
	err := inner.issue(f, depth+1, parts)
	c.texts = inner.texts
	return inner.sql(), err
}

func (c *conditions) issueFields(f groundwork.IssueFilter) {
	among(c, "id", f.IDs)
	among(c, "state", f.States)
	c.is("state NOT IN ('CLOSED', 'MERGED')", f.Open)
	among(c, "closure_type", f.ClosureTypes)
	among(c, "severity", f.Severities)
	among(c, "difficulty", f.Difficulties)
	among(c, "kind", f.Kinds)
	among(c, "channel", f.Channels)
	if len(f.CategoryIDs) > 0 {
		c.add(`category_id IN (
			WITH RECURSIVE below AS (
				SELECT id FROM category WHERE id = ANY(%s)
				UNION SELECT child.id FROM category child JOIN below ON child.parent_id = below.id
			) SELECT id FROM below)`, f.CategoryIDs)
	}
	c.is("category_id IS NULL", f.CategoryUnknown)
	c.under("region_id", f.Under)
	c.is("region_id IS NULL", f.RegionUnknown)
	among(c, "lead_unit_id", f.LeadUnitIDs)
	c.within("origin_at", f.Origin)
	c.within("claimed_at", f.Claimed)
	c.within("closed_at", f.Closed)
	c.within("due_at", f.Due)
	c.is("coalesce(due_at < now(), FALSE) AND state NOT IN ('CLAIMED', 'CLOSED', 'MERGED')", f.Overdue)
	c.work(f)
}

// work adds the conditions of worklists.
func (c *conditions) work(f groundwork.IssueFilter) {
	if len(f.WorkedOnBy) > 0 {
		c.add(`(lead_unit_id = ANY(%s) OR id IN (SELECT leg.issue_id FROM dispatch_leg leg WHERE leg.unit_id = ANY(%s) AND leg.role = 'CO' AND leg.returned_at IS NULL))`,
			f.WorkedOnBy, f.WorkedOnBy)
	}
	if len(f.NeverWorkedOnBy) > 0 {
		c.add("NOT EXISTS (SELECT FROM dispatch_leg leg WHERE leg.issue_id = issue.id AND leg.unit_id = ANY(%s))", f.NeverWorkedOnBy)
	}
	if f.CarriedBy != nil {
		c.add("carrying_post_id IN (SELECT held.id FROM post_holding held WHERE held.official_id = %s)", *f.CarriedBy)
	}
	if f.ReportedBy != "" {
		c.add(`id IN (SELECT link.issue_id FROM vault.known(%s, ARRAY[%s]) who JOIN opinion said ON said.reporter_pid = who.pid
			JOIN issue_opinion link ON link.opinion_id = said.id)`, ownSource, f.ReportedBy)
	}
	if len(f.ClaimKinds) > 0 {
		c.add("(SELECT last.kind FROM claim last WHERE last.issue_id = issue.id ORDER BY last.n DESC LIMIT 1) = ANY(%s)", f.ClaimKinds)
	}
	c.is("return_count > 0", f.Returned)
	c.is("escalation_level > 0", f.Escalated)
}
