package graph_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// L1, once more: of skills the published views tell nothing.

type skillRow struct {
	Official, Ability string
	Level             int
	At                time.Time
}

// holdingRow is who holds a post on the days [From, To).
type holdingRow struct {
	Official string
	From     time.Time
	To       *time.Time
}

const (
	skills   = "SELECT official_id::text, ability, level, at FROM skill_record ORDER BY at, id"
	holdings = "SELECT official_id::text, held_from::timestamp AT TIME ZONE 'Asia/Shanghai', held_to::timestamp AT TIME ZONE 'Asia/Shanghai' FROM post_holding"
)

// assess has some of the officials assessed up to three times, by a unit that theirs is not above; no skills are simulated.
func assess(t *testing.T, dsn string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	require.NoError(t, err)
	defer conn.Close(t.Context())
	_, err = conn.Exec(t.Context(), `INSERT INTO skill_record (id, official_id, ability, level, evidence, assessor_unit_id, at)
		SELECT gen_random_uuid(), h.official_id, a.ability, 1 + a.dice / 7 % 5, 'seen at work', u.id, a.at
		FROM (SELECT DISTINCT official_id FROM post_holding) AS h
		CROSS JOIN unnest(ARRAY['RESEARCH', 'MASS_WORK', 'REFORM']) AS b (ability) CROSS JOIN generate_series(0, 2) AS n (n)
		CROSS JOIN LATERAL (SELECT b.ability, abs(hashtext(h.official_id || b.ability || n.n)) AS dice) AS d
		CROSS JOIN LATERAL (SELECT d.*, timestamptz '2025-01-10 09:30+08' + make_interval(days => d.dice % 650) AS at) AS a
		CROSS JOIN LATERAL (SELECT u.id FROM org_unit u
			WHERE NOT EXISTS (SELECT FROM post_holding p WHERE p.official_id = h.official_id AND unit_within(u.id, p.org_unit_id)) ORDER BY u.id LIMIT 1) AS u
		WHERE a.dice % 3 > 0 AND EXISTS (SELECT FROM post_holding p WHERE p.official_id = h.official_id
			AND p.held_from <= (a.at AT TIME ZONE 'Asia/Shanghai')::date AND (p.held_to IS NULL OR p.held_to > (a.at AT TIME ZONE 'Asia/Shanghai')::date))`)
	require.NoError(t, err)
}

// reckonGrowth is of officials who hold a post and held one half a year before.
func reckonGrowth(r *rows, _ question, asOf time.Time) answer {
	today := midnight(asOf)
	since := time.Date(today.Year(), today.Month()-6, min(today.Day(), newYear(today.Year()).AddDate(0, int(today.Month())-6, -1).Day()), 0, 0, 0, 0, shanghai) // of a shorter month the last day
	on := map[time.Time]map[string]bool{today: {}, since: {}}
	for _, h := range r.holdings {
		for day, who := range on {
			who[h.Official] = who[h.Official] || !h.From.After(day) && (h.To == nil || h.To.After(day))
		}
	}
	n, assessed := 0.0, 0.0
	got := answer{}
	for _, ability := range []string{"POLITICAL", "RESEARCH", "DECISION", "REFORM", "EMERGENCY", "MASS_WORK", "EXECUTION"} {
		got[ability] = figures{"kept": 0, "assessed": 0, "raised": 0, "firstTime": 0}
	}
	for official, in := range on[today] {
		if !in || !on[since][official] {
			continue
		}
		n++
		for ability, f := range got {
			var found []skillRow
			for _, s := range r.skills { // in the order of time
				if s.Official == official && s.Ability == ability && !s.At.After(asOf) {
					found = append(found, s)
				}
			}
			if len(found) == 0 || !found[len(found)-1].At.After(asOf.In(shanghai).AddDate(-1, 0, 0)) {
				continue
			}
			assessed++
			f["assessed"]++
			last := found[len(found)-1].Level
			switch {
			case len(found) == 1:
				f["firstTime"]++
				f["kept"]++
			case last > found[len(found)-2].Level:
				f["raised"]++
				f["kept"]++
			case last == found[len(found)-2].Level:
				f["kept"]++
			}
		}
	}
	if n == 0 {
		return answer{}
	}
	for _, f := range got {
		f["n"] = n
		for _, name := range []string{"kept", "assessed", "raised"} {
			f[name] /= n
		}
		if assessed == 0 {
			clear(f)
			f["n"] = n
		}
	}
	return got
}
