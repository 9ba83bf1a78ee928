package main

import (
	"context"
	"os"
	"time"

	"groundwork/internal/app"
)

type auditCommand struct {
	List   auditList   `cmd:"" help:"List who wrote what, when, why and from where; the newest first."`
	Verify auditVerify `cmd:"" help:"Compare the audit with its seals, and name what was changed, deleted or inserted."`
}

type auditList struct {
	Actor string    `help:"Only what this account did." placeholder:"ACCOUNT"`
	Noun  string    `help:"Only writes to this table." placeholder:"TABLE"`
	Key   string    `help:"Only writes whose first row has this key." placeholder:"KEY"`
	Since time.Time `help:"Only from this moment on." placeholder:"TIME"`
	Until time.Time `help:"Only before this moment." placeholder:"TIME"`
	Limit int       `help:"At most so many; 0 = all." default:"100"`
	JSON  bool      `name:"json" help:"One JSON object a line."`
}

func (auditList) Help() string {
	return `The audit says which rows were written, never what they say.

Examples:
  groundwork audit list --actor li
  groundwork audit list --noun role_binding --since 2026-11-01T00:00:00+08:00 --limit 0 --json`
}

func (a auditList) Run(ctx context.Context, c *Common) error {
	query := app.AuditQuery{Actor: a.Actor, Noun: a.Noun, Key: a.Key, Since: a.Since, Until: a.Until, Limit: a.Limit, JSON: a.JSON}
	return app.AuditJob{Config: c.config(), Out: os.Stdout}.List(ctx, query)
}

type auditVerify struct {
	Noted []string `help:"A head that an earlier verification printed: it must still stand. May be given several times." placeholder:"N:MAC"`
}

func (auditVerify) Help() string {
	return `Entries are sealed in a chain with a key that is not in the database. Whoever takes the last seals away together with what they cover
leaves a chain that is sound, only shorter: so note the head that each verification prints where the operators of the database cannot write,
and give it the next time.

Examples:
  groundwork audit verify
  groundwork audit verify --noted 128:5f0c…`
}

func (a auditVerify) Run(ctx context.Context, c *Common) error {
	return app.AuditJob{Config: c.config(), Out: os.Stdout}.Verify(ctx, a.Noted)
}
