package groundwork

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// Every guard refuses what it is there for, with the field and the remedy.
func TestEveryRefusal(t *testing.T) {
	t.Parallel()
	change := func(s Step, f func(*Step)) Step { f(&s); return s }
	with := func(l *life, f func(*life)) *life { f(l); return l }
	claim := func(f func(*Step)) Step { return change(claims(ClaimFixed), f) }
	plan := func(f func(*Step)) Step { return change(legal(EventProposed, RoleUnitHead), f) }
	verdict := func(k EventKind, r Role, f func(*Step)) Step { return change(legal(k, r), f) }
	stranger := func(k EventKind, r Role) Step {
		return change(legal(k, r), func(s *Step) { s.Actor.UnitID = &otherUnit })
	}
	merge := Step{Kind: EventMerged, Actor: actor(RoleDispatcher), TargetIssueID: &otherUnit}
	source := Actor{ID: "message_board", Role: RoleSystem}
	stranged := func(l *life) *life { return with(l, func(l *life) { l.ActorPID = &otherUnit }) }
	unclaimed := func(l *life) *life { return with(l, func(l *life) { l.Claim = nil }) }
	for name, c := range map[string]struct {
		life  *life
		step  Step
		code  Code
		field string
		says  string
	}{
		"future":                    {at(t, Registered), change(legal(EventDispatched, RoleDispatcher), func(s *Step) { s.At = monday.Add(time.Second) }), CodeInvalid, "at", "future"},
		"before the last event":     {at(t, Registered), change(legal(EventDispatched, RoleDispatcher), func(s *Step) { s.At = monday.Add(-time.Second) }), CodeInvalid, "at", "before the last event"},
		"no unit":                   {at(t, Registered), change(legal(EventDispatched, RoleDispatcher), func(s *Step) { s.UnitID = nil }), CodeInvalid, "unitId", "needs the unit"},
		"outside the catalogue":     {with(at(t, Registered), func(l *life) { l.InCatalogue = false }), legal(EventDispatched, RoleDispatcher), CodeInvalid, "overrideReason", "on 2026-03-02"},
		"opinion unnamed":           {with(at(t, Registered), func(l *life) { l.Opinion = &Opinion{ID: anOpinion} }), legal(EventLinked, RoleIntake), CodeInvalid, "opinionId", "submit it first"},
		"opinion that is not there": {at(t, Registered), change(legal(EventLinked, RoleIntake), func(s *Step) { s.OpinionID = &anOpinion }), CodeInvalid, "opinionId", "submit it first"},
		"claimed by nobody for nobody": {begin(t, Inquiry, SeverityNormal).must(t, legal(EventClaimed, RoleIntake), legal(EventDisputed, RoleCitizen)),
			change(legal(EventClaimed, RoleHandler), func(s *Step) { s.Actor.UnitID = nil }), CodeForbidden, "", "act with a unit"},
		"no opinion": {at(t, Registered), legal(EventLinked, RoleIntake), CodeInvalid, "opinionId", "submit it first"},
		"linked already": {with(at(t, Registered), func(l *life) { l.Opinion, l.OpinionIssueID = &Opinion{ID: anOpinion}, &otherUnit }),
			change(legal(EventLinked, RoleIntake), func(s *Step) { s.OpinionID = &anOpinion }), CodeConflict, "", "already"},
		"return uncoded":                      {at(t, Dispatched), change(legal(EventReturned, RoleHandler), func(s *Step) { s.ReturnReason = "TIRED" }), CodeInvalid, "returnReason", "NOT_OUR_DUTY"},
		"return without list":                 {at(t, Dispatched), change(legal(EventReturned, RoleHandler), func(s *Step) { s.DutyList = "" }), CodeInvalid, "dutyList", "duty list"},
		"return after a day":                  {at(t, Dispatched).wait(2 * days), legal(EventReturned, RoleHandler), CodeTransition, "", "accept it"},
		"no question":                         {at(t, InProgress), change(legal(EventAsked, RoleHandler), func(s *Step) { s.Question = "" }), CodeInvalid, "question", "concrete"},
		"resumed by the clock":                {at(t, AwaitingCitizen).wait(9 * days), legal(EventResumed, RoleSystem), CodeTransition, "", "runs until 2026-03-17"},
		"plan without reason":                 {at(t, InProgress), plan(func(s *Step) { s.Reason = "" }), CodeInvalid, "reason", "public"},
		"plan without target":                 {at(t, InProgress), plan(func(s *Step) { s.TargetDate = time.Time{} }), CodeInvalid, "targetDate", "after"},
		"review too late":                     {at(t, InProgress), plan(func(s *Step) { s.ReviewAt = monday.Add(91 * days) }), CodeInvalid, "reviewAt", "90 days"},
		"review in the past":                  {at(t, InProgress), plan(func(s *Step) { s.ReviewAt = monday }), CodeInvalid, "reviewAt", "90 days"},
		"nothing proposed":                    {at(t, InProgress), legal(EventPlanned, RoleSupervisor), CodeTransition, "", "no plan to approve"},
		"own approval":                        {at(t, InProgress).must(t, plan(func(s *Step) { s.Actor.ID = "SUPERVISOR-1" })), legal(EventPlanned, RoleSupervisor), CodeForbidden, "", "somebody else approves"},
		"plan overtaken":                      {at(t, InProgress).must(t, legal(EventProposed, RoleUnitHead), legal(EventAsked, RoleHandler), legal(EventResumed, RoleCitizen)), legal(EventPlanned, RoleSupervisor), CodeTransition, "", "no plan to approve"},
		"plan past its review":                {at(t, InProgress).must(t, legal(EventProposed, RoleUnitHead)).wait(80 * days), legal(EventPlanned, RoleSupervisor), CodeTransition, "", "propose it anew"},
		"plan not yet reviewed":               {at(t, Planned).wait(80*days - time.Second), legal(EventUnplanned, RoleSystem), CodeTransition, "", "until its review"},
		"silence not over":                    {at(t, Dispatched).wait(7*days - time.Second), legal(EventAccepted, RoleSystem), CodeTransition, "", "waits for its unit"},
		"co-unit named twice":                 {at(t, Registered), change(legal(EventDispatched, RoleDispatcher), func(s *Step) { s.CoUnitIDs = []uuid.UUID{ourUnit} }), CodeInvalid, "coUnitIds", "named twice"},
		"two equal co-units":                  {at(t, Registered), change(legal(EventDispatched, RoleDispatcher), func(s *Step) { s.CoUnitIDs = []uuid.UUID{otherUnit, otherUnit} }), CodeInvalid, "coUnitIds", "named twice"},
		"too many co-units":                   {at(t, Registered), change(legal(EventDispatched, RoleDispatcher), func(s *Step) { s.CoUnitIDs = make([]uuid.UUID, maxCoUnits+1) }), CodeInvalid, "coUnitIds", "at most 10"},
		"accepted by others":                  {at(t, Dispatched), stranger(EventAccepted, RoleHandler), CodeForbidden, "", "for the unit that leads it, not for unit"},
		"accepted by nobody":                  {at(t, Dispatched), change(stranger(EventAccepted, RoleHandler), func(s *Step) { s.Actor.UnitID = nil }), CodeForbidden, "", "act with a unit"},
		"returned by others":                  {at(t, Dispatched), stranger(EventReturned, RoleHandler), CodeForbidden, "", "leads it"},
		"asked by others":                     {at(t, InProgress), stranger(EventAsked, RoleHandler), CodeForbidden, "", "work on it"},
		"asked by no unit":                    {at(t, InProgress), change(stranger(EventAsked, RoleHandler), func(s *Step) { s.Actor.UnitID = nil }), CodeForbidden, "", "act with a unit"},
		"asked where nobody works":            {begin(t, Inquiry, SeverityNormal).must(t, legal(EventClaimed, RoleIntake), legal(EventDisputed, RoleCitizen)), legal(EventAsked, RoleHandler), CodeForbidden, "", "work on it"},
		"a wrong secret":                      {with(at(t, Claimed), func(l *life) { l.ActorPID = nil }), verdict(EventConfirmed, RoleCitizen, func(s *Step) { s.Secret = "guessed" }), CodeForbidden, "", "not of an opinion"},
		"resumed by others":                   {at(t, AwaitingCitizen), stranger(EventResumed, RoleHandler), CodeForbidden, "", "work on it"},
		"proposed by others":                  {at(t, InProgress), stranger(EventProposed, RoleUnitHead), CodeForbidden, "", "leads it"},
		"unplanned by others":                 {at(t, Planned), stranger(EventUnplanned, RoleUnitHead), CodeForbidden, "", "leads it"},
		"answered by others":                  {at(t, InProgress), stranger(EventResponded, RoleHandler), CodeForbidden, "", "work on it"},
		"answered by no unit":                 {at(t, Registered), legal(EventResponded, RoleHandler), CodeTransition, "", "possible from DISPATCHED"},
		"claimed by others":                   {at(t, InProgress), stranger(EventClaimed, RoleHandler), CodeForbidden, "", "leads it"},
		"feedback by others":                  {at(t, Claimed), stranger(EventFeedback, RoleHandler), CodeForbidden, "", "work on it"},
		"carried by no post":                  {with(at(t, Registered), func(l *life) { l.Post = nil }), legal(EventCarried, RoleSupervisor), CodeInvalid, "postId", "one that exists"},
		"carried by no id":                    {at(t, Registered), change(legal(EventCarried, RoleSupervisor), func(s *Step) { s.PostID = nil }), CodeInvalid, "postId", "one that exists"},
		"carried by a past post":              {with(at(t, Registered), func(l *life) { p := *aPost; p.HeldTo = new(day(2026, 3, 2)); l.Post = &p }), legal(EventCarried, RoleSupervisor), CodeInvalid, "postId", "not held"},
		"carried by a future post":            {with(at(t, Registered), func(l *life) { p := *aPost; p.HeldFrom = day(2026, 3, 3); l.Post = &p }), legal(EventCarried, RoleSupervisor), CodeInvalid, "postId", "not held"},
		"case put upon another":               {at(t, Registered), change(legal(EventCarried, RoleLeader), func(s *Step) { s.Actor.OfficialID = &otherUnit }), CodeForbidden, "", "not yours"},
		"escalated too early":                 {at(t, InProgress).wait(399 * days), legal(EventEscalated, RoleSystem), CodeTransition, "", "not due"},
		"escalated twice":                     {at(t, InProgress).wait(401*days).must(t, legal(EventEscalated, RoleSystem)), legal(EventEscalated, RoleSystem), CodeTransition, "", "taken already"},
		"escalated in a claim":                {at(t, Claimed).wait(401 * days), legal(EventEscalated, RoleSystem), CodeTransition, "", "not due"},
		"third dispute, second":               {disputed(t, 2), change(legal(EventEscalated, RoleSystem), func(s *Step) { s.Reason = AtThirdDispute }), CodeTransition, "", "not due"},
		"empty response":                      {at(t, InProgress), change(legal(EventResponded, RoleHandler), func(s *Step) { s.Text = "" }), CodeInvalid, "text", "reached"},
		"claim without text":                  {at(t, InProgress), claim(func(s *Step) { s.Text = "" }), CodeInvalid, "text", "answer"},
		"claim of no kind":                    {at(t, InProgress), claim(func(s *Step) { s.ClaimKind = "" }), CodeInvalid, "claimKind", "FIXED"},
		"fixed unproven":                      {at(t, InProgress), claim(func(s *Step) { s.Evidence = []string{""} }), CodeInvalid, "evidence", "at least one"},
		"explained baselessly":                {at(t, InProgress), change(claims(ClaimExplained), func(s *Step) { s.LegalBasis = "" }), CodeInvalid, "legalBasis", "legal basis"},
		"explained, no appeal":                {at(t, InProgress), change(claims(ClaimExplained), func(s *Step) { s.AppealNotice = "" }), CodeInvalid, "appealNotice", "appeal"},
		"referred, no receipt":                {at(t, InProgress), change(claims(ClaimReferredOut), func(s *Step) { s.Receipt = "" }), CodeInvalid, "receipt", "receipt"},
		"answer not delivered":                {at(t, InProgress), claim(func(s *Step) { s.AnswerDelivered = false }), CodeInvalid, "answerDelivered", "deliver it"},
		"fixed with a file that is not there": {at(t, InProgress), claim(func(s *Step) { s.Evidence = []string{"sha256:ab"} }), CodeInvalid, "evidence", "/files"},
		"grave, unsigned":                     {with(at(t, InProgress), func(l *life) { l.Severity = SeverityHigh }), claims(ClaimFixed), CodeForbidden, "", "UNIT_HEAD makes the claim"},
		"complaint on the spot":               {at(t, Registered), legal(EventClaimed, RoleIntake), CodeTransition, "", "INQUIRY"},
		"call by unknown means":               {at(t, Claimed), verdict(EventCalledBack, RoleCaller, func(s *Step) { s.Method = "PIGEON" }), CodeInvalid, "method", "PHONE"},
		"call of no outcome":                  {at(t, Claimed), verdict(EventCalledBack, RoleCaller, func(s *Step) { s.Outcome = "" }), CodeInvalid, "outcome", "NO_ANSWER"},
		"caller of our unit":                  {at(t, Claimed), verdict(EventConfirmed, RoleCaller, func(s *Step) { s.Actor.UnitID = &ourUnit }), CodeForbidden, "", "another unit"},
		"caller of no unit":                   {at(t, Claimed), verdict(EventDisputed, RoleCaller, func(s *Step) { s.Actor.UnitID = nil }), CodeForbidden, "", "independent"},
		"collected by handler":                {at(t, Claimed), verdict(EventConfirmed, RoleCitizen, func(s *Step) { s.CollectedBy = ByHandler }), CodeInvalid, "collectedBy", "FEEDBACK"},
		"a caller as the self":                {at(t, Claimed), verdict(EventConfirmed, RoleCaller, func(s *Step) { s.CollectedBy = BySelf }), CodeInvalid, "collectedBy", "INDEPENDENT"},
		"handler as caller":                   {at(t, Claimed), verdict(EventFeedback, RoleHandler, func(s *Step) { s.CollectedBy = ByIndependent }), CodeInvalid, "collectedBy", "HANDLER"},
		"an own claim confirmed":              {at(t, Claimed), verdict(EventConfirmed, RoleCaller, func(s *Step) { s.Actor.ID = "HANDLER-1" }), CodeForbidden, "", "somebody else collects"},
		"an own claim confirmed as reporter":  {at(t, Claimed), verdict(EventConfirmed, RoleCitizen, func(s *Step) { s.Actor.ID = "HANDLER-1" }), CodeForbidden, "", "somebody else collects"},
		"an own claim disputed":               {at(t, Claimed), verdict(EventDisputed, RoleCaller, func(s *Step) { s.Actor.ID = "HANDLER-1" }), CodeForbidden, "", "somebody else collects"},
		"called about an own claim":           {at(t, Claimed), verdict(EventCalledBack, RoleCaller, func(s *Step) { s.Actor.ID = "HANDLER-1" }), CodeForbidden, "", "somebody else collects"},
		"a stranger confirms":                 {with(at(t, Claimed), func(l *life) { l.ActorPID = &otherUnit }), legal(EventConfirmed, RoleCitizen), CodeForbidden, "", "reported it"},
		"nobody known confirms":               {with(at(t, Claimed), func(l *life) { l.ActorPID = nil }), legal(EventConfirmed, RoleCitizen), CodeForbidden, "", "reported it"},
		"confirmed by no":                     {at(t, Claimed), verdict(EventConfirmed, RoleCitizen, func(s *Step) { s.Resolved = "PARTLY" }), CodeInvalid, "resolved", "DISPUTED"},
		"disputed by yes":                     {at(t, Claimed), verdict(EventDisputed, RoleCitizen, func(s *Step) { s.Resolved = "YES" }), CodeInvalid, "resolved", "CONFIRMED"},
		"no verdict":                          {at(t, Claimed), verdict(EventFeedback, RoleHandler, func(s *Step) { s.Resolved = "" }), CodeInvalid, "resolved", "PARTLY"},
		"no star":                             {at(t, Claimed), verdict(EventConfirmed, RoleCitizen, func(s *Step) { s.Satisfaction = new(0) }), CodeInvalid, "satisfaction", "1 to 5"},
		"six stars":                           {at(t, Claimed), verdict(EventConfirmed, RoleCitizen, func(s *Step) { s.Satisfaction = new(6) }), CodeInvalid, "satisfaction", "1 to 5"},
		"pressured how":                       {at(t, Claimed), verdict(EventConfirmed, RoleCitizen, func(s *Step) { s.Pressured = "MAYBE" }), CodeInvalid, "pressured", "UNSAID"},
		"never called":                        {at(t, Claimed).wait(30 * days), closing(Unconfirmed, RoleSystem), CodeTransition, "", "called back 0 times"},
		"closed as confirmed":                 {at(t, Claimed), closing(Confirmed, RoleSystem), CodeInvalid, "closure", "UNCONFIRMED"},
		"explained, of a kind not told":       {with(at(t, Claimed), func(l *life) { l.Claim.Kind = nil }), closing(Explained, RoleSupervisor), CodeInvalid, "closure", "not EXPLAINED"},
		"explained, nothing claimed":          {with(at(t, Claimed), func(l *life) { l.Claim = nil }), closing(Explained, RoleSupervisor), CodeInvalid, "closure", "not EXPLAINED"},
		"feedback by who gave it back": {begin(t, Inquiry, SeverityNormal).must(t, legal(EventDispatched, RoleDispatcher), legal(EventReturned, RoleHandler), legal(EventClaimed, RoleIntake)),
			legal(EventFeedback, RoleHandler), CodeForbidden, "", "work on it"},
		"not explained":                             {at(t, Claimed), closing(Explained, RoleSupervisor), CodeInvalid, "closure", "not EXPLAINED"},
		"not referred":                              {at(t, Claimed), closing(ReferredOut, RoleSupervisor), CodeInvalid, "closure", "not REFERRED_OUT"},
		"reviews own signature":                     {at(t, InProgress).must(t, change(claims(ClaimExplained), func(s *Step) { s.Actor.ID = "SUPERVISOR-1" })), closing(Explained, RoleSupervisor), CodeForbidden, "", "somebody else"},
		"withdrawn silently":                        {at(t, InProgress), verdict(EventWithdrawn, RoleCitizen, func(s *Step) { s.Reason = "" }), CodeInvalid, "reason", "reason"},
		"withdrawn unasked":                         {at(t, InProgress), verdict(EventWithdrawn, RoleCitizen, func(s *Step) { s.Pressured = "" }), CodeInvalid, "pressured", "urged"},
		"withdrawn by another":                      {at(t, InProgress), legal(EventWithdrawn, RoleHandler), CodeForbidden, "", "CITIZEN"},
		"merged into nothing":                       {with(at(t, Registered), func(l *life) { l.Target = nil }), merge, CodeInvalid, "targetIssueId", "exists"},
		"merged into what is not named":             {at(t, Registered), change(merge, func(s *Step) { s.TargetIssueID = nil }), CodeInvalid, "targetIssueId", "exists"},
		"merged into itself":                        {with(at(t, Registered), func(l *life) { l.Target = l.Issue }), merge, CodeInvalid, "targetIssueId", "itself"},
		"merged into merged":                        {with(at(t, Registered), func(l *life) { l.Target.State = Merged }), merge, CodeTransition, "", "merged itself"},
		"merged into withdrawn":                     {with(at(t, Registered), func(l *life) { l.Target.State, l.Target.ClosureType = Closed, new(Withdrawn) }), merge, CodeTransition, "", "withdrawn"},
		"reopened silently":                         {at(t, Closed), verdict(EventReopened, RoleCitizen, func(s *Step) { s.Reason = "" }), CodeInvalid, "reason", "reason"},
		"reopened too late":                         {at(t, Closed).wait(91 * days), legal(EventReopened, RoleCitizen), CodeTransition, "", "ask a supervisor"},
		"linked by a source to nothing":             {at(t, Registered), Step{Kind: EventLinked, Actor: source, Reason: SourceOpinion}, CodeInvalid, "opinionId", "submit it first"},
		"bound without two returns":                 {at(t, Registered), legal(EventDispatched, RoleSupervisor), CodeTransition, "", "DISPATCHER"},
		"bound to no unit":                          {returned(t, 2), change(legal(EventDispatched, RoleSupervisor), func(s *Step) { s.UnitID = nil }), CodeInvalid, "unitId", "needs the unit"},
		"bound outside the catalogue":               {with(returned(t, 2), func(l *life) { l.InCatalogue = false }), legal(EventDispatched, RoleSupervisor), CodeInvalid, "overrideReason", "catalogue"},
		"sent on to no unit":                        {unled(t), change(legal(EventDispatched, RoleDispatcher), func(s *Step) { s.UnitID = nil }), CodeInvalid, "unitId", "needs the unit"},
		"sent on outside the catalogue":             {with(unled(t), func(l *life) { l.InCatalogue = false }), legal(EventDispatched, RoleDispatcher), CodeInvalid, "overrideReason", "catalogue"},
		"resumed by a stranger":                     {stranged(at(t, AwaitingCitizen)), legal(EventResumed, RoleCitizen), CodeForbidden, "", "reported it"},
		"empty response of intake":                  {at(t, Registered), change(legal(EventResponded, RoleIntake), func(s *Step) { s.Text = "" }), CodeInvalid, "text", "reached"},
		"on the spot without text":                  {begin(t, Inquiry, SeverityNormal), change(legal(EventClaimed, RoleIntake), func(s *Step) { s.Text = "" }), CodeInvalid, "text", "answer"},
		"on the spot with a file that is not there": {begin(t, Inquiry, SeverityNormal), change(legal(EventClaimed, RoleIntake), func(s *Step) { s.Evidence = []string{"sha256:ab"} }), CodeInvalid, "evidence", "/files"},
		"called about nothing":                      {unclaimed(at(t, Claimed)), legal(EventCalledBack, RoleCaller), CodeTransition, "", "no claim to judge"},
		"feedback on nothing":                       {unclaimed(at(t, Claimed)), legal(EventFeedback, RoleHandler), CodeTransition, "", "no claim to judge"},
		"nothing confirmed":                         {unclaimed(at(t, Claimed)), legal(EventConfirmed, RoleCitizen), CodeTransition, "", "no claim to judge"},
		"nothing disputed":                          {unclaimed(at(t, Claimed)), legal(EventDisputed, RoleCitizen), CodeTransition, "", "no claim to judge"},
		"nothing unconfirmed":                       {unclaimed(at(t, Claimed)), closing(Unconfirmed, RoleSystem), CodeTransition, "", "no claim to judge"},
		"a handler's dispute":                       {at(t, Claimed), verdict(EventDisputed, RoleCitizen, func(s *Step) { s.CollectedBy = ByHandler }), CodeInvalid, "collectedBy", "FEEDBACK"},
		"a stranger disputes":                       {stranged(at(t, Claimed)), legal(EventDisputed, RoleCitizen), CodeForbidden, "", "reported it"},
		"disputed off the scale":                    {at(t, Claimed), verdict(EventDisputed, RoleCitizen, func(s *Step) { s.Satisfaction = new(0) }), CodeInvalid, "satisfaction", "1 to 5"},
		"reviews own referral":                      {at(t, InProgress).must(t, change(claims(ClaimReferredOut), func(s *Step) { s.Actor.ID = "SUPERVISOR-1" })), closing(ReferredOut, RoleSupervisor), CodeForbidden, "", "somebody else reviews"},
		"a stranger withdraws":                      {stranged(at(t, InProgress)), legal(EventWithdrawn, RoleCitizen), CodeForbidden, "", "reported it"},
		"unmerged silently":                         {at(t, Merged), verdict(EventUnmerged, RoleDispatcher, func(s *Step) { s.Reason = "" }), CodeInvalid, "reason", "reason"},
		"a stranger reopens":                        {stranged(at(t, Closed)), legal(EventReopened, RoleCitizen), CodeForbidden, "", "reported it"},
		"reopened by a silent supervisor":           {at(t, Closed), verdict(EventReopened, RoleSupervisor, func(s *Step) { s.Reason = "" }), CodeInvalid, "reason", "reason"},
		"corrected silently":                        {at(t, InProgress), verdict(EventCorrected, RoleSupervisor, func(s *Step) { s.Reason = "" }), CodeInvalid, "reason", "reason"},
		"escalated silently":                        {at(t, Claimed), verdict(EventEscalated, RoleSystem, func(s *Step) { s.Reason = "" }), CodeInvalid, "reason", "TARGET_80"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := c.life.Progress
			err := c.life.try(c.step)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, c.code, CodeOf(err))
			require.ErrorAs(t, err, new(*Error))
			require.Equal(t, c.field, fieldOf(err))
			require.Equal(t, before, c.life.Progress)
		})
	}
}

func TestWhatComesFromASource(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		role   Role
		reason string
		is     bool
	}{{RoleSystem, SourceOpinion, true}, {RoleSystem, SourceReply, true}, {RoleSystem, AtTarget, false}, {RoleSupervisor, SourceReply, false}} {
		require.Equal(t, c.is, Step{Actor: actor(c.role), Reason: c.reason}.FromSource(), "%s %s", c.role, c.reason)
	}
}

// Whoever says at which event the issue stood is told if it moved on.
func TestExpectedSeq(t *testing.T) {
	t.Parallel()
	s := legal(EventDispatched, RoleDispatcher)
	s.ExpectedSeq = 2
	require.Equal(t, CodeConflict, CodeOf(at(t, Registered).try(s)))
	s.ExpectedSeq = 1
	require.NoError(t, at(t, Registered).try(s))
}

// returned is an issue that its units gave back so many times.
func returned(t testing.TB, times int) *life {
	l := at(t, Registered)
	for range times {
		l.must(t, legal(EventDispatched, RoleDispatcher), legal(EventReturned, RoleHandler))
	}
	return l
}

// unled is an inquiry that was answered on the spot and disputed: nobody is in charge of it.
func unled(t testing.TB) *life {
	return begin(t, Inquiry, SeverityNormal).must(t, legal(EventClaimed, RoleIntake), legal(EventDisputed, RoleCitizen))
}

// However an issue is dispatched, silence is acceptance at some time.
func TestEveryDispatchSaysWhenSilenceIsOver(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]*life{
		"first": at(t, Registered).must(t, legal(EventDispatched, RoleDispatcher)),
		"bound": returned(t, 2).must(t, legal(EventDispatched, RoleSupervisor)),
		"late":  unled(t).must(t, legal(EventDispatched, RoleDispatcher)),
	} {
		require.Contains(t, l.History[len(l.History)-1].Payload, payloadAckDue, name)
	}
}

// An explanation that is closed opens the window for a review.
func TestAnExplanationOpensAnAppeal(t *testing.T) {
	t.Parallel()
	explained := claims(ClaimExplained)
	l := at(t, InProgress).must(t, explained, closing(Explained, RoleSupervisor))
	require.Equal(t, monday.Add(appealWindow).UTC(), payloadTime(l.History[len(l.History)-1], "appeal_until", time.Time{}).UTC())
}

// What guards are there for is no more than that: these steps pass.
func TestWhatEveryGuardLetsPass(t *testing.T) {
	t.Parallel()
	change := func(s Step, f func(*Step)) Step { f(&s); return s }
	with := func(l *life, f func(*life)) *life { f(l); return l }
	verdict := func(f func(*Step)) Step { return change(legal(EventConfirmed, RoleCitizen), f) }
	merge := Step{Kind: EventMerged, Actor: actor(RoleDispatcher), TargetIssueID: &otherUnit}
	for name, c := range map[string]struct {
		life *life
		step Step
	}{
		"one star":                   {at(t, Claimed), verdict(func(s *Step) { s.Satisfaction = new(1) })},
		"five stars":                 {at(t, Claimed), verdict(func(s *Step) { s.Satisfaction = new(5) })},
		"pressured":                  {at(t, Claimed), verdict(func(s *Step) { s.Pressured = "YES" })},
		"collected as it is":         {at(t, Claimed), verdict(func(s *Step) { s.CollectedBy = BySelf })},
		"the secret proves it":       {with(at(t, Claimed), func(l *life) { l.ActorPID, l.Proven = nil, true }), verdict(func(s *Step) { s.Secret = "of the opinion" })},
		"units report nothing":       {with(at(t, AwaitingCitizen), func(l *life) { l.ActorPID = nil }), legal(EventResumed, RoleHandler)},
		"fixed needs no law":         {at(t, InProgress), change(claims(ClaimFixed), func(s *Step) { s.LegalBasis, s.AppealNotice, s.Receipt = "", "", "" })},
		"explained needs no photo":   {at(t, InProgress), change(claims(ClaimExplained), func(s *Step) { s.Evidence, s.Receipt = nil, "" })},
		"referred needs no photo":    {at(t, InProgress), change(claims(ClaimReferredOut), func(s *Step) { s.Evidence, s.LegalBasis, s.AppealNotice = nil, "", "" })},
		"merged into confirmed":      {with(at(t, Registered), func(l *life) { l.Target.State, l.Target.ClosureType = Closed, new(Confirmed) }), merge},
		"planned though notes came":  {at(t, InProgress).must(t, legal(EventProposed, RoleUnitHead), legal(EventResponded, RoleHandler)), legal(EventPlanned, RoleSupervisor)},
		"resumed by the unit beside": {with(at(t, Registered), func(*life) {}).must(t, change(legal(EventDispatched, RoleDispatcher), func(s *Step) { s.CoUnitIDs = []uuid.UUID{otherUnit} }), legal(EventAccepted, RoleHandler), legal(EventAsked, RoleHandler)), change(legal(EventResumed, RoleHandler), func(s *Step) { s.Actor.UnitID = &otherUnit })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, c.life.try(c.step))
		})
	}
}

// A plan is approved for the reason that was proposed, unless the supervisor gives another.
func TestReasonOfAPlan(t *testing.T) {
	t.Parallel()
	proposed := legal(EventProposed, RoleUnitHead)
	own := legal(EventPlanned, RoleSupervisor)
	own.Reason = "Next year, as the council decided."
	for _, c := range []struct {
		step   Step
		reason string
	}{{legal(EventPlanned, RoleSupervisor), proposed.Reason}, {own, own.Reason}} {
		l := at(t, InProgress).must(t, proposed, c.step)
		require.Equal(t, c.reason, *l.History[len(l.History)-1].ReasonCode)
	}
}

func TestPartsOfTheDay(t *testing.T) {
	t.Parallel()
	for clock, part := range map[string]int{"00:00": 0, "11:59": 0, "12:00": 1, "17:59": 1, "18:00": 2, "23:59": 2} {
		at, err := time.ParseInLocation("2006-01-02 15:04", "2026-03-02 "+clock, China)
		require.NoError(t, err)
		require.Equal(t, part, dayPart(at.UTC()), clock)
	}
}

// A note after a confirmation does not make it the one before.
func TestReopeningPassesOverNotes(t *testing.T) {
	t.Parallel()
	l := at(t, Claimed).must(t, legal(EventConfirmed, RoleCitizen)).wait(100*days).must(t, legal(EventReopened, RoleSupervisor))
	first := *l.ResolvedAt
	l.wait(time.Hour).must(t, legal(EventClaimed, RoleHandler), legal(EventConfirmed, RoleCaller))
	l.Opinion = &Opinion{ID: anOpinion, ReceivedAt: l.Now}
	link := legal(EventLinked, RoleIntake)
	link.OpinionID = &anOpinion
	l.must(t, link, legal(EventReopened, RoleCitizen))
	require.Equal(t, first, *l.ResolvedAt)
}

// The earliest opinion makes the issue; what was told in confidence is not its title.
func TestWhatARegistrationTakesFromItsOpinions(t *testing.T) {
	t.Parallel()
	lies, near, site, elsewhere := uuid.New(), uuid.New(), uuid.New(), uuid.New()
	late := Opinion{ID: uuid.New(), Kind: Help, Channel: ChannelHotline, ReceivedAt: atOpinion.Add(time.Minute), Subject: "Later", RegionID: &near}
	early := Opinion{ID: uuid.New(), Kind: Complaint, Channel: ChannelOnline, ReceivedAt: atOpinion, Subject: "Earlier", RegionID: &lies, SiteID: &site}
	opened := func(r Registration, opinions ...Opinion) (*Issue, Event) {
		t.Helper()
		r.Actor = actor(RoleIntake)
		for _, o := range opinions {
			r.OpinionIDs = append(r.OpinionIDs, o.ID)
		}
		i, e, err := PlanRegistration(r, uuid.New(), Opening{Opinions: opinions, At: monday, Now: monday})
		require.NoError(t, err)
		return i, e
	}
	i, e := opened(Registration{}, late, early)
	require.Equal(t, []any{"Earlier", Complaint, ChannelOnline, &lies, &site}, []any{i.Title, i.Kind, i.Channel, i.RegionID, i.SiteID})
	require.Equal(t, atOpinion.UTC(), i.OriginAt)
	require.Equal(t, []any{late.ID.String(), early.ID.String()}, e.Payload[payloadOpinions])

	i, _ = opened(Registration{RegionID: &elsewhere, SiteID: &near, Title: "Ours"}, early)
	require.Equal(t, []any{"Ours", &elsewhere, &near}, []any{i.Title, i.RegionID, i.SiteID})

	early.Confidentiality = Confidential
	i, _ = opened(Registration{}, late, early)
	require.Empty(t, i.Title)
}

// What is said with a step and has no row of its own stays with its event.
func TestWhatAnEventKeeps(t *testing.T) {
	t.Parallel()
	payload := func(l *life) map[string]any { return l.History[len(l.History)-1].Payload }
	require.Equal(t, "We are looking into it.", payload(at(t, InProgress).must(t, legal(EventResponded, RoleHandler)))["text"])
	require.NotContains(t, payload(at(t, Claimed)), "text", "a claim has a row")
	require.NotContains(t, payload(at(t, InProgress).must(t, Step{Kind: EventResponded, Actor: Actor{ID: "message_board", Role: RoleSystem}, Reason: SourceReply})), "text", "that of a source stands where it was imported")
	require.Equal(t, ourUnit.String(), payload(at(t, Claimed))[payloadUnit])
	require.NotContains(t, payload(at(t, InProgress)), payloadUnit)
	require.NotContains(t, payload(at(t, InProgress)), payloadOpinion)
	opinion, system := uuid.New(), Actor{ID: "message_board", Role: RoleSystem}
	told := begin(t, Complaint, SeverityNormal)
	require.Equal(t, opinion.String(), payload(told.must(t, Step{Kind: EventClaimed, Actor: system, Reason: SourceReply, OpinionID: &opinion}))[payloadOpinion])
	require.NotContains(t, payload(begin(t, Complaint, SeverityNormal).must(t, Step{Kind: EventClaimed, Actor: system, Reason: SourceReply})), payloadOpinion)
}

func TestReturns(t *testing.T) {
	t.Parallel()
	l := begin(t, Complaint, SeverityNormal)
	l.Now = time.Date(2026, 3, 6, 17, 0, 0, 0, China) // Friday evening
	l.must(t, legal(EventDispatched, RoleDispatcher))
	require.Equal(t, ourUnit, *l.LeadUnitID)
	l.Now = time.Date(2026, 3, 9, 23, 59, 0, 0, China) // the next working day, Monday
	l.must(t, legal(EventReturned, RoleHandler))
	require.Nil(t, l.LeadUnitID)
	l.must(t, legal(EventDispatched, RoleDispatcher), legal(EventReturned, RoleHandler))
	require.Equal(t, CodeTransition, CodeOf(l.try(legal(EventDispatched, RoleDispatcher))), "after two returns a supervisor binds a unit")
	l.must(t, legal(EventDispatched, RoleSupervisor))
	require.ErrorContains(t, l.try(legal(EventReturned, RoleHandler)), "no further return")
	require.Equal(t, 2, l.ReturnCount)
}

func TestPauses(t *testing.T) {
	t.Parallel()
	l := at(t, AwaitingCitizen)
	require.Equal(t, monday.UTC(), *l.PausedSince)
	require.Equal(t, monday.UTC(), *l.FirstResponseAt, "a question is a response")
	l.wait(90*time.Minute).must(t, legal(EventResumed, RoleCitizen))
	require.EqualValues(t, 90*60, l.PausedSeconds)
	require.Nil(t, l.PausedSince)

	// A pause ends by itself after ten working days, even if somebody resumes it much later.
	l.must(t, legal(EventAsked, RoleHandler))
	due := l.Calendar.Deadline(l.Now, maxPause)
	asked := l.Now
	l.wait(60*days).must(t, legal(EventResumed, RoleHandler))
	require.Equal(t, int64((90*time.Minute+due.Sub(asked))/time.Second), l.PausedSeconds)

	l.must(t, legal(EventAsked, RoleHandler)).wait(40*days).must(t, legal(EventResumed, RoleSystem))
	require.ErrorContains(t, l.try(legal(EventAsked, RoleHandler)), "used up its 20 working days")
	require.Nil(t, at(t, Planned).PausedSince, "a plan does not pause")
}

func TestUnconfirmed(t *testing.T) {
	t.Parallel()
	call := func(l *life, day, hour int) {
		l.Now = time.Date(2026, 3, day, hour, 0, 0, 0, China)
		l.must(t, legal(EventCalledBack, RoleCaller))
	}
	late := time.Date(2026, 3, 30, 12, 0, 0, 0, China)
	for name, c := range map[string]struct {
		calls [][2]int // day, hour
		at    time.Time
		ok    bool
	}{
		"three days, two parts": {[][2]int{{3, 10}, {4, 14}, {5, 10}}, late, true},
		"evening counts too":    {[][2]int{{3, 14}, {4, 14}, {5, 18}}, late, true},
		"two days only":         {[][2]int{{3, 10}, {3, 14}, {5, 10}}, late, false},
		"mornings only":         {[][2]int{{3, 10}, {4, 11}, {5, 9}}, late, false},
		"two attempts":          {[][2]int{{3, 10}, {4, 14}}, late, false},
		"on the tenth day":      {[][2]int{{3, 10}, {4, 14}, {5, 10}}, time.Date(2026, 3, 16, 23, 59, 0, 0, China), false},
		"after the tenth day":   {[][2]int{{3, 10}, {4, 14}, {5, 10}}, time.Date(2026, 3, 17, 0, 0, 0, 0, China), true},
	} {
		l := at(t, Claimed)
		for _, day := range c.calls {
			call(l, day[0], day[1])
		}
		l.Now = c.at
		require.Equal(t, c.ok, l.try(closing(Unconfirmed, RoleSystem)) == nil, name)
		require.Nil(t, l.ResolvedAt, name)
	}
}

// A resolution is on trial for 90 days: what is reopened by then was none, and the one before it holds again.
func TestReopeningTakesTheResolutionBack(t *testing.T) {
	t.Parallel()
	l := at(t, Claimed).wait(time.Hour).must(t, legal(EventConfirmed, RoleCitizen))
	first := monday.UTC()
	require.Equal(t, first, *l.ResolvedAt)
	l.wait(100*days).must(t, legal(EventReopened, RoleSupervisor))
	require.Equal(t, first, *l.ResolvedAt, "after 90 days it was a resolution; this is a relapse")
	require.Nil(t, l.ClosedAt)
	second := l.Now.UTC()
	l.must(t, legal(EventClaimed, RoleHandler)).wait(time.Hour).must(t, legal(EventConfirmed, RoleCaller))
	require.Equal(t, second, *l.ResolvedAt)
	l.wait(10*days).must(t, legal(EventReopened, RoleCitizen))
	require.Equal(t, first, *l.ResolvedAt, "the second was none, the first holds")
	require.Equal(t, 2, l.ReopenCount)

	once := at(t, Claimed).must(t, legal(EventConfirmed, RoleCitizen)).wait(90*days).must(t, legal(EventReopened, RoleCitizen))
	require.Nil(t, once.ResolvedAt)
	require.Equal(t, atOpinion.UTC(), once.OriginAt, "the clock never resets")

	// A later closing of another kind, soon reopened, does not touch a resolution that held.
	held := at(t, Claimed).must(t, legal(EventConfirmed, RoleCitizen)).wait(100*days).must(t, legal(EventReopened, RoleSupervisor),
		legal(EventWithdrawn, RoleCitizen), legal(EventReopened, RoleCitizen))
	require.Equal(t, first, *held.ResolvedAt)
}

func TestMergerReturnsWhereItStood(t *testing.T) {
	t.Parallel()
	l := at(t, AwaitingCitizen).wait(time.Hour)
	l.must(t, Step{Kind: EventMerged, Actor: actor(RoleDispatcher), TargetIssueID: &otherUnit})
	require.Equal(t, otherUnit, *l.MergedIntoID)
	require.EqualValues(t, 3600, l.PausedSeconds)
	l.wait(days).must(t, legal(EventUnmerged, RoleDispatcher))
	require.Equal(t, AwaitingCitizen, l.State)
	require.Nil(t, l.MergedIntoID)
	require.Equal(t, l.Now.UTC(), *l.PausedSince)
}

func TestHandlerCollectedVerdictChangesNothing(t *testing.T) {
	t.Parallel()
	l := at(t, Claimed)
	before := l.Progress
	l.must(t, legal(EventFeedback, RoleHandler))
	before.Seq++
	require.Equal(t, before, l.Progress)
}

func TestGraveClaims(t *testing.T) {
	t.Parallel()
	for _, grave := range []Severity{SeverityHigh, SeverityUrgent} {
		l := at(t, InProgress)
		l.Severity = grave
		require.Equal(t, CodeForbidden, CodeOf(l.try(legal(EventClaimed, RoleHandler))))
		l.must(t, legal(EventClaimed, RoleUnitHead))
	}
	spot := begin(t, Inquiry, SeverityHigh)
	require.Equal(t, CodeForbidden, CodeOf(spot.try(legal(EventClaimed, RoleIntake))), "a grave inquiry is dispatched")
}

func TestLinkingMovesTheOrigin(t *testing.T) {
	t.Parallel()
	l := at(t, InProgress)
	l.Opinion = &Opinion{ID: anOpinion, ReceivedAt: atOpinion.AddDate(0, -1, 0)}
	s := legal(EventLinked, RoleDispatcher)
	s.OpinionID = &anOpinion
	l.must(t, s)
	require.Equal(t, atOpinion.AddDate(0, -1, 0).UTC(), l.OriginAt)
	require.Equal(t, 2, l.OpinionCount)
}

// Two servers whose clocks differ write one after the other: the order of events wins.
func TestClockBehindTheLastEvent(t *testing.T) {
	t.Parallel()
	l := at(t, Registered).wait(-time.Second).must(t, legal(EventDispatched, RoleDispatcher))
	last := l.History[len(l.History)-1]
	require.Equal(t, monday.UTC(), last.At)
	require.Equal(t, monday.UTC(), last.KnownAt)
}

// Whoever acts may say when it was, from the last event up to now.
func TestTimeOfAStep(t *testing.T) {
	t.Parallel()
	sent := func(at time.Time) (*life, error) {
		l := begin(t, Complaint, SeverityNormal).wait(2 * time.Hour)
		s := legal(EventDispatched, RoleDispatcher)
		s.At = at
		return l, l.try(s)
	}
	for _, after := range []time.Duration{0, time.Hour, 2 * time.Hour} {
		l, err := sent(monday.Add(after))
		require.NoError(t, err)
		require.Equal(t, monday.Add(after).UTC(), l.History[1].At)
	}
	for _, after := range []time.Duration{-time.Microsecond, 2*time.Hour + time.Microsecond} {
		_, err := sent(monday.Add(after))
		require.Equal(t, "at", fieldOf(err))
	}
}

func TestOverrideIsKept(t *testing.T) {
	t.Parallel()
	l := at(t, Registered)
	l.InCatalogue = false
	s := legal(EventDispatched, RoleDispatcher)
	s.OverrideReason = "joint case"
	l.must(t, s)
	require.Equal(t, "joint case", l.History[len(l.History)-1].Payload["override_reason"])
}

// What a source tells of the past keeps its own time, and what was known never becomes unknown.
func TestSourceTellsOfThePast(t *testing.T) {
	t.Parallel()
	l := begin(t, Complaint, SeverityNormal)
	opinion := uuid.New()
	system := Actor{ID: "message_board", Role: RoleSystem}
	l.Now = monday.AddDate(1, 0, 0)
	l.must(t, Step{Kind: EventClaimed, Actor: system, Reason: SourceReply, At: monday.Add(48 * time.Hour), OpinionID: &opinion})
	l.must(t, Step{Kind: EventClaimed, Actor: system, Reason: SourceReply, At: monday.Add(24 * time.Hour), OpinionID: &opinion})
	last := l.History[2]
	require.Equal(t, monday.Add(48*time.Hour).UTC(), last.KnownAt)
	require.Equal(t, monday.Add(24*time.Hour).UTC(), last.At)
	require.Equal(t, monday.Add(48*time.Hour).UTC(), *l.ClaimedAt)
	require.Equal(t, monday.Add(24*time.Hour).UTC(), *l.FirstResponseAt)
	require.Equal(t, CodeForbidden, CodeOf(l.try(Step{Kind: EventClaimed, Actor: system, Reason: "GUESS"})))
	require.Equal(t, CodeTransition, CodeOf(at(t, Dispatched).try(Step{Kind: EventClaimed, Actor: system, Reason: SourceReply})), "a source tells nothing of what units work on")
}

// Spaces are no words: whatever a step asks for in words is refused where it is blank.
func TestBlankTextsAreRefused(t *testing.T) {
	t.Parallel()
	const blank = " \t\n\u3000"
	unlisted := at(t, Registered)
	unlisted.InCatalogue = false
	for _, c := range []struct {
		life  *life
		step  Step
		field string
		set   func(*Step)
	}{
		{at(t, InProgress), legal(EventProposed, RoleUnitHead), "reason", func(s *Step) { s.Reason = blank }},
		{at(t, InProgress), legal(EventWithdrawn, RoleCitizen), "reason", func(s *Step) { s.Reason = blank }},
		{at(t, Closed), legal(EventReopened, RoleCitizen), "reason", func(s *Step) { s.Reason = blank }},
		{at(t, Dispatched), legal(EventReturned, RoleHandler), "dutyList", func(s *Step) { s.DutyList = blank }},
		{at(t, InProgress), legal(EventAsked, RoleHandler), "question", func(s *Step) { s.Question = blank }},
		{at(t, InProgress), legal(EventResponded, RoleHandler), "text", func(s *Step) { s.Text = blank }},
		{at(t, InProgress), claims(ClaimFixed), "text", func(s *Step) { s.Text = blank }},
		{at(t, InProgress), claims(ClaimFixed), "evidence", func(s *Step) { s.Evidence = []string{blank} }},
		{at(t, InProgress), claims(ClaimExplained), "legalBasis", func(s *Step) { s.LegalBasis = blank }},
		{at(t, InProgress), claims(ClaimExplained), "appealNotice", func(s *Step) { s.AppealNotice = blank }},
		{at(t, InProgress), claims(ClaimReferredOut), "receipt", func(s *Step) { s.Receipt = blank }},
		{unlisted, legal(EventDispatched, RoleDispatcher), "overrideReason", func(s *Step) { s.OverrideReason = blank }},
	} {
		c.set(&c.step)
		require.Equal(t, c.field, fieldOf(c.life.try(c.step)), c.step.Kind)
	}
	require.ErrorContains(t, Deed{Reason: blank}.reasoned("EXCUSED of a slot"), "needs a reason")
}
