package postgres

import (
	"slices"

	"groundwork"
)

// Chores lists what time brings about in the system of record. Each noun's own stand in its file.
func (db *DB) Chores() []groundwork.Chore {
	return slices.Concat(db.issueChores(), db.campaignChores(), db.rotaChores(), db.noteChores(), db.topicChores(), db.auditChores())
}
