package warehouse

//go:generate go test -run TestMeasuresAreDocumented -update

// Definition says what a measure means. A figure without its definition and version cannot be computed again.
type Definition struct {
	Code, Version     string
	Name, ChineseName string
	Meaning           string
	Numerator         string
	Denominator       string
	Anchor            string // the event by whose time issues belong to a period
	Censoring         string
	Interval          string
	Method            string // in one line, as answers carry it
	Caveats           []string
}

// Definitions lists the measures in the order of their codes.
func Definitions() []Definition { return append([]Definition(nil), definitions...) }

func definition(code string) Definition {
	for _, d := range definitions {
		if d.Code == code {
			return d
		}
	}
	panic("no definition of measure " + code)
}

var definitions = []Definition{
	{
		Code: "T1", Version: "1", Name: "Time to first substantive response", ChineseName: "首次实质回应时间（响应率）",
		Meaning:     "How long citizens wait, from their earliest opinion on a matter, for the first human contact that reaches them.",
		Numerator:   "Issues with a first response within 24 hours, 7 days, 30 days.",
		Denominator: "All issues with origin in the window, except merged ones. Those not yet answered count for as long as they were observed.",
		Anchor:      "RECEIVED",
		Censoring:   "At as-of; for imported issues at the end of their observation, if earlier; at a withdrawal without a response.",
		Interval:    "95 %: log–log Greenwood for shares, Brookmeyer–Crowley for median and p90.",
		Method:      "1 − Kaplan–Meier; 95 % log–log Greenwood; quantiles by Brookmeyer–Crowley",
		Caveats: []string{
			"An issue closed without any response goes on waiting: closing does not answer anybody.",
			"Merged issues are left out and counted: the matter is that of the target, whose response is measured there.",
		},
	},
	{
		Code: "T2", Version: "1", Name: "Time to confirmed resolution", ChineseName: "经群众确认的解决时间",
		Meaning:     "How long it takes, from the earliest opinion, until the claim that the citizen confirmed as a resolution.",
		Numerator:   "Issues whose claim was confirmed by the citizen and not reopened within 90 days, at the time of that claim.",
		Denominator: "All issues with origin in the window, except merged ones.",
		Anchor:      "RECEIVED",
		Censoring:   "Open issues at as-of or the end of their observation, if earlier. A claim that awaits the verdict at the time of the claim, with the bounds of none and of all such claims confirmed beside.",
		Interval:    "95 %: complementary log–log for shares, Brookmeyer–Crowley for median and p90 (all causes), Greenwood for the restricted mean.",
		Method:      "Aalen–Johansen, causes: confirmed, explained or referred, unconfirmed, withdrawn; 95 % cloglog; all-cause Kaplan–Meier for quantiles and RMST(90)",
		Caveats: []string{
			"A claim is not a resolution. Where issues were claimed and no citizen's verdict is recorded, the confirmed share is null, never 0, and only the bounds are given.",
			"provisional: the newest event is younger than 90 days, so a reopening may still take a resolution back.",
			"Explained, referred, unconfirmed and withdrawn endings compete with confirmation; they are not censored, which would overstate it.",
			"Imports say when something was answered, hardly ever whether it was solved.",
		},
	},
	{
		Code: "T4", Version: "1", Name: "Backlog", ChineseName: "积压存量",
		Meaning:     "What is open at as-of, how old it is, and whether more comes in than goes out.",
		Numerator:   "Open issues: neither closed nor merged. Those whose claim awaits the verdict are open, and shown apart.",
		Denominator: "For the shares over 60 and 90 days: all open issues.",
		Anchor:      "STOCK",
		Censoring:   "None: a census. Ages run to as-of or the end of observation, if earlier.",
		Interval:    "None on counts and ages. 95 % exact conditional interval of two Poisson counts on the flow ratio.",
		Method:      "census at as-of; flow ratio = inflow/outflow of 28 days, exact conditional Poisson 95 %",
		Caveats: []string{
			"The ages of a stock are longer than durations of issues (long ones are more likely to be met): never compare or average with T2.",
			"Whether imported issues are still open after their last observation is unknown; notObserved counts them.",
			"Inflow is by origin, outflow by closing; a reopened issue is in the stock again and not in the outflow.",
		},
	},
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
