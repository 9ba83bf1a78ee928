package warehouse

import "context"

var placeDefinitions = []Definition{
	{
		Code: "H1", Version: "1", Name: "Hotspots: shrunk rate of issues", ChineseName: "问题热点（收缩率）",
		Meaning:     "Issues per 1,000 person-years by region, where small regions are drawn towards the common rate by as much as chance explains.",
		Numerator:   "Distinct issues with origin in the window; repeats are shown apart.",
		Denominator: "Population in the middle of the window, interpolated between years (each at its middle), times the years of the window. Where a region has no number of its own, the sum of its children if all are known.",
		Anchor:      "RECEIVED",
		Censoring:   "None. The window ends at as-of.",
		Interval:    "95 % Gamma interval of the posterior.",
		Method:      "Marshall's global empirical Bayes over the regions, per category; 95 % Gamma interval",
		Caveats: []string{
			"Many issues may mean many problems, or people who trust that reporting helps; few may mean silence.",
			"Regions without a known population have no rate (noPopulation); merged issues and those of unknown region are left out and counted.",
			"Where the regions differ no more than chance explains there is no between-area signal: no interval, and no rank.",
			"Equal rates share the lower rank number.",
		},
	},
}

var placeMeasures = []Measure{
	{
		Definition: definition("H1"), Dimensions: placeDimensions, Headline: "rate",
		Columns: []Column{
			{"issues", "issues", "Issues", "问题数"},
			{"repeats", "opinions", "Opinions beyond the first", "重复反映"},
			{"personYears", "person-years", "Person-years", "人年"},
			{"rawRate", "issues per 1,000 person-years", "Rate as it is", "原始率"},
			{"rate", "issues per 1,000 person-years", "Shrunk rate", "收缩率"},
			{"weight", "share", "Weight of the raw rate", "原始率权重"},
			{"rank", "rank", "Rank", "位次"},
		},
		Answer: func(m *Measures, ctx context.Context, q Question) (*Table, error) {
			h := HotspotQuery{Query: q.Query}
			if q.From != nil {
				h.From = *q.From
			}
			if q.To != nil {
				h.To = *q.To
			}
			return m.Hotspots(ctx, h)
		},
	},
}
