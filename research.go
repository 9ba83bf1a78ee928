package groundwork

import (
	"context"
	"encoding/json"
	"time"
)

// ResearchQuestion is a question of the measures that a researcher was answered. It is kept, so that a later one which would tell of the
// few that lie between both is refused (rule 10 of the privacy rules).
type ResearchQuestion struct {
	Measure  string
	Question json.RawMessage // whole and in one form: the same question has the same text
	Cells    int             // of the answer
	AskedAt  time.Time
}

// What one account, that is one project, may ask.
const (
	ResearchMemory    = 90 * 24 * time.Hour // how long questions are compared with later ones
	ResearchQuestions = 200                 // different questions within that time
	ResearchCells     = 20_000              // cells of new answers within 24 hours
)

// ResearchStore keeps what researchers asked.
type ResearchStore interface {
	// Research lets answer see what the account by.ID was answered since, oldest first, and keeps the question that it returns, if there
	// is one. Questions of one account are answered one after the other, so that none is compared with too little; if answer fails,
	// nothing is kept.
	Research(ctx context.Context, by Actor, since time.Time, answer func(before []ResearchQuestion) (*ResearchQuestion, error)) error
}
