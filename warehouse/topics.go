package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"groundwork/warehouse/privacy"
	"groundwork/warehouse/stats"
)

// TopicDefinition is the version of what topics are made of; docs/topics.md says what that is.
const TopicDefinition = "1"

const (
	topicWeek      = 7 * 24 * time.Hour // the window, if none is given
	topicBaseline  = 4                  // windows before it that it is compared with, if no baseline is given
	fewestRead     = 30                 // opinions on either side
	topicQ         = 0.05               // share of false ones among those called rising
	topicWitnesses = 2 * privacy.Least  // opinions by which a word is looked up: some may have lost their words by then
)

// TopicQuestion asks which terms the opinions of a window have more often than those of a baseline.
type TopicQuestion struct {
	Query                               // regions, how long to wait, how many topics
	From, To                 *time.Time // nil = the last seven days
	BaselineFrom, BaselineTo *time.Time // nil = four windows of the same length, before it
}

// TopicPulse is what was found, the most telling first.
type TopicPulse struct {
	From, To, BaselineFrom, BaselineTo time.Time
	Opinions, Baseline                 int64 // that were read
	Tested                             int   // terms
	Topics                             []Topic
	AsOf                               time.Time
	Fresh                              bool
	Notes                              []string
}

// Topic is a term that at least eleven known reporters use in the window, and more often than in the baseline.
type Topic struct {
	Term               int64
	Opinions, Baseline int64 // that have it
	Expected           float64
	Contrast           stats.Contrast
	Q                  float64
	Rising             bool
	Said               []uuid.UUID // some of the opinions that have it, of as many reporters
}

// TopicPulse finds what people speak of more than before. A term that fewer than eleven known reporters use in the window is not in the answer, whoever asks.
func (m *Measures) TopicPulse(ctx context.Context, q TopicQuestion) (*TopicPulse, error) {
	s, err := m.scope(ctx, Query{Where: Filter{Regions: q.Where.Regions, RegionUnknown: q.Where.RegionUnknown}, MinLSN: q.MinLSN, Wait: q.Wait, Limit: q.Limit})
	if err != nil {
		return nil, err
	}
	t := &TopicPulse{AsOf: s.asOf, Fresh: s.fresh, Notes: []string{}, Topics: []Topic{}}
	if err := t.place(q); err != nil {
		return nil, err
	}
	rows := s.termRows(t)
	total := rows
	total.text = "SELECT toInt64(countIf(now)), toInt64(countIf(NOT now)) FROM (" + rows.text + ")"
	err = m.each(ctx, "count opinions", total, func(scan func(...any) error) error { return scan(&t.Opinions, &t.Baseline) })
	if err != nil {
		return nil, err
	}
	if t.Opinions < fewestRead || t.Baseline < fewestRead {
		t.Notes = append(t.Notes, fmt.Sprintf("not computable: %d opinions were read in the window and %d in the baseline, and it takes %d of either", t.Opinions, t.Baseline, fewestRead))
		return t, nil
	}
	found, err := m.contrast(ctx, rows, t)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b Topic) int {
		return cmp.Or(cmp.Compare(b.Contrast.Z, a.Contrast.Z), cmp.Compare(a.Term, b.Term))
	})
	t.Topics = found[:min(len(found), s.Limit)]
	return t, m.witnesses(ctx, rows, t.Topics)
}

// place fills in when the window and the baseline are.
func (t *TopicPulse) place(q TopicQuestion) error {
	t.From, t.To = t.AsOf.Add(-topicWeek), t.AsOf
	if q.From != nil && q.To != nil {
		t.From, t.To = *q.From, *q.To
	}
	t.BaselineFrom, t.BaselineTo = t.From.Add(-topicBaseline*t.To.Sub(t.From)), t.From
	if q.BaselineFrom != nil && q.BaselineTo != nil {
		t.BaselineFrom, t.BaselineTo = *q.BaselineFrom, *q.BaselineTo
	}
	switch {
	case (q.From == nil) != (q.To == nil):
		return invalid("Range", "one end of the range is given; give both, or none for the last seven days")
	case (q.BaselineFrom == nil) != (q.BaselineTo == nil):
		return invalid("Baseline", "one end of the baseline is given; give both, or none for four times the range, before it")
	case !t.To.After(t.From):
		return invalid("Range", "%s does not lie after %s; give a range of some length", t.To.Format(time.RFC3339), t.From.Format(time.RFC3339))
	case !t.BaselineTo.After(t.BaselineFrom):
		return invalid("Baseline", "%s does not lie after %s; give a range of some length", t.BaselineTo.Format(time.RFC3339), t.BaselineFrom.Format(time.RFC3339))
	case t.BaselineFrom.Before(t.To) && t.From.Before(t.BaselineTo):
		return invalid("Baseline", "the baseline and the range overlap; an opinion counts on one side")
	}
	return nil
}

// termRows has one row an opinion that was read: its terms, and whether it is of the window (now) or of the baseline. The mirror is sorted by day, so that no other
// days are read.
func (s *scope) termRows(t *TopicPulse) statement {
	b := &builder{}
	b.write("SELECT opinion_id, reporter_pid, terms, now FROM (SELECT opinion_id, region_id, reporter_pid, terms, ")
	within := func(name string, from, to time.Time) string {
		b.value(name+"_from", ceilMicro(from))
		b.value(name+"_to", ceilMicro(to))
		b.value(name+"_first", dayNumber(from))
		b.value(name+"_last", dayNumber(to))
		return "day >= {" + name + "_first:Int32} AND day <= {" + name + "_last:Int32} AND received_at >= fromUnixTimestamp64Micro({" + name + "_from:Int64}, 'UTC')" +
			" AND received_at < fromUnixTimestamp64Micro({" + name + "_to:Int64}, 'UTC')"
	}
	window, baseline := within("window", t.From, t.To), within("baseline", t.BaselineFrom, t.BaselineTo)
	b.write(window, " AS now FROM f_opinion_terms FINAL WHERE _deleted = 0 AND (", window, " OR ", baseline, ")) AS i")
	s.filter(b)
	return b.statement()
}

// dayNumber is the day of a moment as f_opinion_terms has it.
func dayNumber(t time.Time) int {
	y, month, d := t.UTC().Date()
	return y*10000 + int(month)*100 + d
}

// contrast compares the terms that enough reporters use, and keeps those that are more frequent than before.
func (m *Measures) contrast(ctx context.Context, rows statement, t *TopicPulse) ([]Topic, error) {
	rows.text = fmt.Sprintf(`SELECT term, toInt64(countIf(now)), toInt64(countIf(NOT now)) FROM (SELECT arrayJoin(terms) AS term, reporter_pid, now FROM (%s))
		GROUP BY term HAVING uniqUpToIf(%d)(reporter_pid, now) >= %[2]d SETTINGS max_rows_to_group_by = 0`, rows.text, privacy.Least)
	var all []Topic
	var p []float64
	err := m.each(ctx, "count terms", rows, func(scan func(...any) error) error {
		var topic Topic
		if err := scan(&topic.Term, &topic.Opinions, &topic.Baseline); err != nil {
			return err
		}
		var err error
		topic.Contrast, err = stats.LogOdds(float64(topic.Opinions), float64(t.Opinions), float64(topic.Baseline), float64(t.Baseline))
		topic.Expected = float64(topic.Baseline) / float64(t.Baseline) * float64(t.Opinions)
		all, p = append(all, topic), append(p, topic.Contrast.P)
		return err
	})
	if err != nil {
		return nil, err
	}
	t.Tested = len(all)
	adjusted, err := stats.BenjaminiHochberg(p)
	if err != nil {
		return nil, fmt.Errorf("adjust for the number of terms: %w", err)
	}
	for i := range all {
		all[i].Q = adjusted[i]
		all[i].Rising = all[i].Q <= topicQ
	}
	return slices.DeleteFunc(all, func(topic Topic) bool { return topic.Opinions*t.Baseline <= topic.Baseline*t.Opinions }), nil
}

// witnesses finds opinions that have the terms of topics, by which the system of record tells their words.
func (m *Measures) witnesses(ctx context.Context, rows statement, topics []Topic) error {
	if len(topics) == 0 {
		return nil
	}
	terms, at := make([]int64, len(topics)), map[int64]int{}
	for i, topic := range topics {
		terms[i], at[topic.Term] = topic.Term, i
	}
	rows.text = fmt.Sprintf(`SELECT term, opinion_id FROM (SELECT term, opinion_id, reporter_pid FROM (SELECT arrayJoin(terms) AS term, opinion_id, reporter_pid FROM (%s)
		WHERE now AND reporter_pid IS NOT NULL) WHERE term IN {terms:Array(Int64)} ORDER BY opinion_id DESC LIMIT 1 BY term, reporter_pid) LIMIT %d BY term`, rows.text, topicWitnesses)
	return m.each(ctx, "find opinions with terms", rows.with("terms", terms), func(scan func(...any) error) error {
		var term int64
		var id uuid.UUID
		err := scan(&term, &id)
		if i, asked := at[term]; asked && err == nil {
			topics[i].Said = append(topics[i].Said, id)
		}
		return err
	})
}
