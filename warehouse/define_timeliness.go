package warehouse

import "context"

var timelinessDefinitions = []Definition{
	{
		Code: "T1", Version: "1", Name: "Time to first substantive response", ChineseName: "首次实质回应时间（响应率）",
		Meaning:     "How long citizens wait, from their earliest opinion on a matter, for the first human contact that reaches them.",
		Numerator:   "Issues with a first response within 24 hours, 7 days, 30 days.",
		Denominator: "All issues with origin in the window, except merged ones. Those not yet answered count for as long as they were observed.",
		Anchor:      "RECEIVED",
		Censoring:   "At as-of; for imported issues at the end of their observation, if earlier; at a withdrawal without a response.",
		Interval:    "95 %: log–log Greenwood for shares, Brookmeyer–Crowley for median and p90.",
		Source:      "Kaplan and Meier 1958; Brookmeyer and Crowley 1982 (interval of the median). Response rates (响应率) of 12345 hotlines ask for its share at 24 hours.",
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
		Source:      "Aalen and Johansen 1978; Royston and Parmar 2013 (restricted mean). 60 and 90 days are the limits of petitions.",
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
		Source:      "Boards of 311 services; Garwood 1936 (ratio of flows).",
		Method:      "census at as-of; flow ratio = inflow/outflow of 28 days, exact conditional Poisson 95 %",
		Caveats: []string{
			"The ages of a stock are longer than durations of issues (long ones are more likely to be met): never compare or average with T2.",
			"Whether imported issues are still open after their last observation is unknown; notObserved counts them.",
			"Inflow is by origin, outflow by closing; a reopened issue is in the stock again and not in the outflow.",
		},
	},
	{
		Code: "T3", Version: "1", Name: "Matured on-time rate", ChineseName: "到期按时办结率",
		Meaning:     "Of the issues whose due time has come, the share that was claimed in time and whose claim held.",
		Numerator:   "Issues whose claim came at or before the due time and was confirmed, or was an explanation that was upheld.",
		Denominator: "All issues due by as-of, open ones among them: open and overdue is late. Those not yet due are outside, and shown.",
		Anchor:      "DUE",
		Censoring:   "None: what is due has matured. Withdrawn and merged issues, and imported ones not observed until they were due, are left out and counted.",
		Interval:    "95 % Wilson.",
		Source:      "Service levels as they are reported, with what is not due yet on neither side.",
		Method:      "share of matured issues; 95 % Wilson without continuity correction",
		Caveats: []string{
			"A claim in time that still awaits its verdict does not count yet: onTimeUpper says what the rate would be if all of them held.",
			"The rate among closed issues alone (closed on time / closed) would leave out the worst: the open ones.",
			"Issues without a published target have no due time and are not here.",
		},
	},
	{
		Code: "T5", Version: "1", Name: "Clock integrity", ChineseName: "时钟完整性（暂停与退回）",
		Meaning:     "How much of the open time was paused, and how often work was sent back.",
		Numerator:   "(a) Paused seconds. (b) Legs that were returned. (c) Issues returned at least twice.",
		Denominator: "(a) Gross open seconds. (b) Legs. (c) Issues.",
		Anchor:      "RECEIVED",
		Censoring:   "At as-of or the end of observation, if earlier.",
		Interval:    "95 %: (a) linearised ratio of sums over issues, (b) and (c) Wilson.",
		Source:      "Return rates (回退率) of city hotlines, and clocks of service desks that were paused.",
		Method:      "ratios of sums; 95 % Taylor linearisation for pausedShare, Wilson for shares",
		Caveats: []string{
			"The gross clock never pauses. A pause is for a question to the citizen, and ends by itself.",
			"The interval of (a) is that of a bootstrap by issue, got in one pass (decisions/0060-measures-in-one-pass.md).",
		},
	},
}

var timelinessMeasures = []Measure{
	{
		Definition: definition("T1"), Dimensions: issueDimensions, Headline: "responded24h",
		Curves: []Column{{"responded", "share", "Responded to by the day", "累计响应率"}},
		Columns: []Column{
			{"responded24h", "share", "Responded within 24 hours", "24小时响应率"},
			{"responded7d", "share", "Responded within 7 days", "7日响应率"},
			{"responded30d", "share", "Responded within 30 days", "30日响应率"},
			{"medianDays", "d", "Median time to response", "响应时间中位数"},
			{"p90Days", "d", "90th percentile of time to response", "响应时间九成分位"},
			{"responded", "issues", "Responded so far", "已响应件数"},
		},
		Answer: byOrigin((*Measures).TimeToResponse),
	},
	{
		Definition: definition("T2"), Dimensions: issueDimensions, Headline: "confirmed60",
		Curves: []Column{{"ended", "share", "Ended in any way by the day", "累计办结率"}, {"confirmed", "share", "Confirmed as resolved by the day", "累计确认解决率"}},
		Columns: []Column{
			{"confirmed30", "share", "Confirmed within 30 days", "30日内确认解决率"},
			{"confirmed30Lower", "share", "The same if no waiting claim is confirmed", "30日确认解决率下界"},
			{"confirmed30Upper", "share", "The same if all waiting claims are confirmed", "30日确认解决率上界"},
			{"confirmed60", "share", "Confirmed within 60 days", "60日内确认解决率"},
			{"confirmed60Lower", "share", "The same if no waiting claim is confirmed", "60日确认解决率下界"},
			{"confirmed60Upper", "share", "The same if all waiting claims are confirmed", "60日确认解决率上界"},
			{"confirmed90", "share", "Confirmed within 90 days", "90日内确认解决率"},
			{"confirmed90Lower", "share", "The same if no waiting claim is confirmed", "90日确认解决率下界"},
			{"confirmed90Upper", "share", "The same if all waiting claims are confirmed", "90日确认解决率上界"},
			{"medianDays", "d", "Median time to any end", "办结时间中位数"},
			{"p90Days", "d", "90th percentile of time to any end", "办结时间九成分位"},
			{"rmst90Days", "d", "Mean time open during the first 90 days", "前90日平均在办时间"},
			{"open", "issues", "Open", "在办"},
			{"awaitingFeedback", "issues", "Awaiting the verdict", "待群众评价"},
			{"confirmed", "issues", "Confirmed", "已确认解决"},
			{"explainedOrReferred", "issues", "Explained or referred out", "解释或转出"},
			{"unconfirmed", "issues", "Closed unconfirmed", "未能确认"},
			{"withdrawn", "issues", "Withdrawn", "撤回"},
		},
		Answer: byOrigin((*Measures).TimeToResolution),
	},
	{
		Definition: definition("T3"), Dimensions: issueDimensions, Headline: "onTime",
		Columns: []Column{
			{"onTime", "share", "On time", "到期按时率"},
			{"onTimeUpper", "share", "The same if all waiting claims hold", "按时率上界"},
			{"onTimeIssues", "issues", "On time", "按时件数"},
			{"late", "issues", "Late", "逾期办结"},
			{"openOverdue", "issues", "Open and overdue", "逾期在办"},
			{"awaitingFeedback", "issues", "Claimed in time, awaiting the verdict", "按时提出待评价"},
			{"notYetDue", "issues", "Not yet due", "未到期"},
		},
		Answer: (*Measures).OnTime,
	},
	{
		Definition: definition("T4"), Dimensions: stockDimensions, Headline: "open",
		Columns: []Column{
			{"open", "issues", "Open", "在办"},
			{"awaitingFeedback", "issues", "Awaiting the verdict", "待群众评价"},
			{"notObserved", "issues", "Not observed since their import", "导入后未再观察"},
			{"ageP50Days", "d", "Median age", "在办时长中位数"},
			{"ageP90Days", "d", "90th percentile of age", "在办时长九成分位"},
			{"shareOver60Days", "share", "Older than 60 days", "超60日占比"},
			{"shareOver90Days", "share", "Older than 90 days", "超90日占比"},
			{"inflow28Days", "issues", "Came in during 28 days", "28日新增"},
			{"outflow28Days", "issues", "Closed during 28 days", "28日办结"},
			{"flowRatio", "ratio", "Inflow to outflow", "进出比"},
		},
		Answer: byOrigin((*Measures).Backlog),
	},
	{
		Definition: definition("T5"), Dimensions: issueDimensions, Headline: "pausedShare",
		Columns: []Column{
			{"pausedShare", "share of time", "Share of open time paused", "暂停时间占比"},
			{"returnedLegs", "share", "Legs returned", "派单退回率"},
			{"returnedTwice", "share", "Issues returned at least twice", "两次以上退回占比"},
			{"legs", "legs", "Legs", "派单数"},
		},
		Answer: byOrigin((*Measures).ClockIntegrity),
	},
}

// byOrigin makes an answer of a measure that is anchored at the origin.
func byOrigin(ask func(*Measures, context.Context, Query) (*Table, error)) func(*Measures, context.Context, Question) (*Table, error) {
	return func(m *Measures, ctx context.Context, q Question) (*Table, error) { return ask(m, ctx, q.byOrigin()) }
}
