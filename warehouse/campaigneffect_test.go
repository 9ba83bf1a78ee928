package warehouse_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/warehouse"
)

type campaignRow struct {
	ID       uuid.UUID  `ch:"id"`
	Selected *time.Time `ch:"selected_at"`
	Started  *time.Time `ch:"started_at"`
	Ended    *time.Time `ch:"ended_at"`
	State    string     `ch:"state"`
}

type campaignRegion struct {
	Campaign uuid.UUID `ch:"campaign_id"`
	Region   uuid.UUID `ch:"region_id"`
	Role     string    `ch:"role"`
}

// Of 36 counties of 1,000 people, 8 with 30 issues a month are chosen in April; 8 others have 28, the rest 10. While the campaign runs, more is reported
// everywhere it goes. After it, from July on, the chosen have 18 and those nearly as badly off 24: of 30, 30 × 24/28 = 25.7 were to be expected, so the effect is −7.7 a month, −93 a year. Version 2 took −12 + 4 = −8 a month.
func TestEffectOfACampaign(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.watermark(1, time.Date(2027, 1, 10, 0, 0, 0, 0, time.UTC))
	ids := h.lattice(6, true)
	over, running := uuid.MustParse("00000000-0000-7000-8000-0000000000ca"), uuid.MustParse("00000000-0000-7000-8000-0000000000cb")
	on := func(month time.Month, day int) *time.Time {
		return new(time.Date(2026, month, day, 0, 0, 0, 0, time.UTC))
	}
	insert(h, "f_campaign", campaignRow{over, on(4, 1), on(4, 10), on(6, 20), "EXITED"}, campaignRow{running, on(11, 1), on(11, 10), on(12, 1), "EXITED"})
	var all raised
	for i, region := range ids {
		switch {
		case i < 8:
			insert(h, "f_campaign_region", campaignRegion{over, region, "TREATED"})
		case i >= 30:
			insert(h, "f_campaign_region", campaignRegion{over, region, "COMPARISON"})
		case i == 20:
			insert(h, "f_campaign_region", campaignRegion{running, region, "TREATED"})
		}
		for month := range 12 {
			n := 10
			switch {
			case i < 8 && month < 3:
				n = 30
			case i < 8 && month < 6:
				n = 60
			case i < 8:
				n = 18
			case i < 16 && month < 6:
				n = 28
			case i < 16:
				n = 24
			}
			all.add(region, int(time.Date(2026, time.Month(1+month), 10, 0, 0, 0, 0, time.UTC).Sub(begin).Hours()/24/7), n+(i+month)%2)
		}
	}
	all.write(h)
	table := h.answer("P2", warehouse.Question{})
	require.Len(t, table.N, 1, table.Notes)
	require.Equal(t, over.String(), table.Dims[0].Keys[0].ID)
	former := h.answer("P2", warehouse.Question{Version: "2"})
	require.InDelta(t, -93, value(t, table, "effect", 0), 2)
	require.InDelta(t, -96, value(t, former, "effect", 0), 8)
	require.InDelta(t, -115, value(t, table, "effectCompared", 0), 5, "against regions that were never so bad, it looks better, though shrinking lifts what was expected of them")
	require.InDelta(t, -144, value(t, former, "effectCompared", 0), 10)
	require.Equal(t, 8.0, value(t, table, "treated", 0))
	require.Equal(t, 8.0, value(t, table, "controls", 0))
	require.Equal(t, 6.0, value(t, table, "months", 0), "from July on, as far as months are over")
	require.False(t, table.Flags["descriptive"][0])
	require.Less(t, value(t, table, "regressionToMean", 0), 0.0)
	require.Greater(t, value(t, table, "regressionToMean", 0), -20.0, "rates of hundreds of issues fall little by themselves")
	require.Contains(t, table.Notes[len(table.Notes)-1], running.String()+": not computable: it has not been over for 90 days")
}
