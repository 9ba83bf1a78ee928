package graph

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vikstrous/dataloadgen"

	"groundwork"
	"groundwork/graph/model"
)

// window is how long a loader waits for the keys of other lists.
const window = time.Millisecond

// loader fetches things by key, many at once.
//
// gqlgen hands a batch resolver all elements of one list. Where no other list lies above, these are all there are, and they are
// fetched at once; below several lists (the opinions of many issues) the loader waits a moment so that the lists share one fetch.
type loader[K comparable, V any] struct {
	fetch  func(context.Context, []K) (map[K]V, error)
	shared *dataloadgen.Loader[K, V]
}

func newLoader[K comparable, V any](fetch func(context.Context, []K) (map[K]V, error)) loader[K, V] {
	inOrder := func(ctx context.Context, keys []K) ([]V, []error) {
		found, err := fetch(ctx, keys)
		if err != nil {
			return nil, []error{err}
		}
		return pick(found, keys), nil
	}
	return loader[K, V]{fetch, dataloadgen.NewLoader(inOrder, dataloadgen.WithWait(window))}
}

// load returns the things in the order of their keys, the zero value for those that are not there.
func (l loader[K, V]) load(ctx context.Context, keys []K) ([]V, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	if !complete(graphql.GetPath(ctx)) {
		return l.shared.LoadAll(ctx, keys)
	}
	found, err := l.fetch(ctx, unique(keys))
	if err != nil {
		return nil, err
	}
	return pick(found, keys), nil
}

// complete reports whether the field at path is resolved for all its siblings in one call: it lies below no list, or directly in
// the elements of the only one.
func complete(path ast.Path) bool {
	lists := 0
	for _, element := range path {
		if _, ok := element.(ast.PathIndex); ok {
			lists++
		}
	}
	if lists != 1 {
		return lists == 0
	}
	_, direct := path[len(path)-2].(ast.PathIndex)
	return direct
}

func pick[K comparable, V any](found map[K]V, keys []K) []V {
	values := make([]V, len(keys))
	for i, k := range keys {
		values[i] = found[k]
	}
	return values
}

func unique[K comparable](keys []K) []K {
	seen := make(map[K]bool, len(keys))
	var once []K
	for _, k := range keys {
		if !seen[k] {
			seen[k] = true
			once = append(once, k)
		}
	}
	return once
}

// part asks for at most limit things that belong to id.
type part struct {
	id    uuid.UUID
	limit int
}

// loaders are those of one request.
type loaders struct {
	regions         loader[uuid.UUID, *groundwork.Region]
	childrenOf      loader[part, []*groundwork.Region]
	populations     loader[uuid.UUID, []groundwork.Population]
	boundaries      loader[uuid.UUID, *groundwork.Boundary]
	neighbours      loader[uuid.UUID, []*groundwork.Region]
	sites           loader[uuid.UUID, *groundwork.Site]
	categories      loader[uuid.UUID, *groundwork.Category]
	orgUnits        loader[uuid.UUID, *groundwork.OrgUnit]
	officials       loader[uuid.UUID, *groundwork.Official]
	posts           loader[uuid.UUID, *groundwork.PostHolding]
	postsOf         loader[uuid.UUID, []*groundwork.PostHolding]
	visits          loader[uuid.UUID, *groundwork.Visit]
	opinions        loader[uuid.UUID, *groundwork.Opinion]
	issues          loader[uuid.UUID, *groundwork.Issue]
	issuesOf        loader[uuid.UUID, *groundwork.Issue]
	opinionsOf      loader[part, []*groundwork.Opinion]
	eventsOf        loader[part, []*groundwork.Event]
	claimsOf        loader[part, []*groundwork.Claim]
	feedbackOf      loader[part, []*groundwork.Feedback]
	callAttempts    loader[part, []*groundwork.CallbackAttempt]
	legsOf          loader[part, []*groundwork.Leg]
	spellsOf        loader[part, []*groundwork.Spell]
	targets         loader[uuid.UUID, *groundwork.TargetVersion]
	campaigns       loader[uuid.UUID, *groundwork.Campaign]
	campaignsNow    loader[uuid.UUID, *groundwork.Campaign] // by issue
	plans           loader[uuid.UUID, *groundwork.RotaPlan]
	slots           loader[uuid.UUID, *groundwork.RotaSlot]
	participants    loader[uuid.UUID, []*groundwork.PostHolding]
	attestations    loader[uuid.UUID, []*groundwork.Attestation]
	noteChecks      loader[uuid.UUID, *groundwork.NoteCheck]
	campaignRegions loader[uuid.UUID, []*groundwork.CampaignRegion]
	exitCriteria    loader[uuid.UUID, []*groundwork.ExitCriterion]
	results         loader[uuid.UUID, []*groundwork.CriterionResult]
	campaignIssues  loader[part, []*groundwork.CampaignIssue]
	tasks           loader[uuid.UUID, *groundwork.CampaignTask]
	tasksOf         loader[part, []*groundwork.CampaignTask]
	policies        loader[uuid.UUID, *groundwork.Policy]
	versions        loader[uuid.UUID, *groundwork.PolicyVersion]
	versionsOf      loader[part, []*groundwork.PolicyVersion]
	changes         loader[uuid.UUID, *groundwork.PolicyChange]
	rollouts        loader[uuid.UUID, []*groundwork.PolicyRollout]
	evidenceOf      loader[part, []*groundwork.EvidenceLink]
	evaluations     loader[uuid.UUID, *groundwork.PolicyEvaluation]
	skills          loader[uuid.UUID, *groundwork.SkillRecord]
	waves           loader[uuid.UUID, *groundwork.SurveyWave]
	discussions     loader[uuid.UUID, *groundwork.Discussion]
	discussionPosts loader[uuid.UUID, *groundwork.DiscussionPost]
	policyItems     loader[uuid.UUID, []*groundwork.VisitPolicyItem]
	trainings       loader[uuid.UUID, *groundwork.Training]
	glasses         loader[uuid.UUID, bool] // open to whoever asks, by issue or opinion
	histories       loader[past, []*groundwork.EntityEvent]
	reached         loader[thing, bool]
	definitions     loader[uuid.UUID, *groundwork.MeasureDefinition]
	snapshots       loader[uuid.UUID, *groundwork.MeasureSnapshot] // that whoever asks may see
	flags           loader[uuid.UUID, *groundwork.FormalismFlag]   // likewise
	assessments     loader[uuid.UUID, *groundwork.Assessment]      // likewise
	cycles          loader[uuid.UUID, *groundwork.AssessmentCycle]
	groundFigures   loader[uuid.UUID, []*groundwork.MeasureSnapshot] // by assessment
	groundFlags     loader[uuid.UUID, []*groundwork.FormalismFlag]   // by assessment
	subjectTargets  loader[uuid.UUID, *groundwork.SubjectTarget]     // likewise
}

func newLoaders(s groundwork.Store) *loaders {
	return &loaders{
		regions:         newLoader(s.RegionsByID),
		childrenOf:      newLoader(parts(s.ChildrenOf)),
		populations:     newLoader(s.PopulationsOf),
		boundaries:      newLoader(s.BoundariesOf),
		neighbours:      newLoader(s.NeighboursOf),
		sites:           newLoader(s.SitesByID),
		categories:      newLoader(s.CategoriesByID),
		orgUnits:        newLoader(s.OrgUnitsByID),
		officials:       newLoader(s.OfficialsByID),
		posts:           newLoader(s.PostHoldingsByID),
		postsOf:         newLoader(s.PostHoldingsOf),
		visits:          newLoader(s.VisitsByID),
		plans:           newLoader(s.RotaPlansByID),
		slots:           newLoader(s.RotaSlotsByID),
		participants:    newLoader(s.ParticipantsOf),
		attestations:    newLoader(s.AttestationsOf),
		noteChecks:      newLoader(s.NoteChecksOf),
		opinions:        newLoader(s.OpinionsByID),
		issues:          newLoader(s.IssuesByID),
		issuesOf:        newLoader(s.IssuesOfOpinions),
		opinionsOf:      newLoader(parts(s.OpinionsOf)),
		eventsOf:        newLoader(parts(s.EventsOf)),
		claimsOf:        newLoader(parts(s.ClaimsOf)),
		feedbackOf:      newLoader(parts(s.FeedbackOf)),
		callAttempts:    newLoader(parts(s.CallbackAttemptsOf)),
		legsOf:          newLoader(parts(s.LegsOf)),
		spellsOf:        newLoader(parts(s.SpellsOf)),
		targets:         newLoader(s.TargetVersionsByID),
		campaigns:       newLoader(s.CampaignsByID),
		campaignsNow:    newLoader(s.CampaignsOfIssues),
		campaignRegions: newLoader(s.CampaignRegionsOf),
		exitCriteria:    newLoader(s.ExitCriteriaOf),
		results:         newLoader(s.CriterionResultsOf),
		campaignIssues:  newLoader(parts(s.CampaignIssuesOf)),
		tasks:           newLoader(s.CampaignTasksByID),
		tasksOf:         newLoader(parts(s.CampaignTasksOf)),
		policies:        newLoader(s.PoliciesByID),
		versions:        newLoader(s.PolicyVersionsByID),
		versionsOf:      newLoader(parts(s.PolicyVersionsOf)),
		changes:         newLoader(s.PolicyChangesByID),
		rollouts:        newLoader(s.RolloutsOf),
		evidenceOf:      newLoader(parts(s.EvidenceLinksOf)),
		evaluations:     newLoader(s.EvaluationsOf),
		skills:          newLoader(seenSkills(s)),
		waves:           newLoader(s.SurveyWavesByID),
		discussions:     newLoader(s.DiscussionsByID),
		discussionPosts: newLoader(s.DiscussionPostsByID),
		policyItems:     newLoader(s.PolicyItemsOf),
		trainings:       newLoader(s.TrainingsByID),
		histories:       newLoader(histories(s)),
		reached:         newLoader(reaching(s)),
		definitions:     newLoader(s.MeasureDefinitionsByID),
		snapshots:       newLoader(seen(s.MeasureSnapshotsByID)),
		flags:           newLoader(seen(s.FlagsByID)),
		assessments:     newLoader(seen(s.AssessmentsByID)),
		cycles:          newLoader(s.AssessmentCyclesByID),
		groundFigures:   newLoader(s.SnapshotsOfAssessments),
		groundFlags:     newLoader(s.FlagsOfAssessments),
		subjectTargets:  newLoader(seen(s.SubjectTargetsByID)),
		glasses: newLoader(func(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
			return s.GlassesOpen(ctx, groundwork.ActorFrom(ctx), ids)
		}),
	}
}

// parts fetches lists that belong to things, one call for each limit that occurs: a document rarely has more than one.
func parts[V any](fetch func(context.Context, []uuid.UUID, int) (map[uuid.UUID]V, error)) func(context.Context, []part) (map[part]V, error) {
	return func(ctx context.Context, keys []part) (map[part]V, error) {
		ids := map[int][]uuid.UUID{}
		for _, k := range keys {
			ids[k.limit] = append(ids[k.limit], k.id)
		}
		all := make(map[part]V, len(keys))
		for limit, of := range ids {
			found, err := fetch(ctx, of, limit)
			if err != nil {
				return nil, err
			}
			for id, v := range found {
				all[part{id, limit}] = v
			}
		}
		return all, nil
	}
}

// requestLoaders holds the loaders of a request until a write makes them stale.
type requestLoaders struct {
	store   groundwork.Store
	current atomic.Pointer[loaders]
}

type loadersKey struct{}

func withLoaders(s groundwork.Store, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := &requestLoaders{store: s}
		l.current.Store(newLoaders(s))
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), loadersKey{}, l)))
	})
}

func loadersOf(ctx context.Context) *loaders {
	return ctx.Value(loadersKey{}).(*requestLoaders).current.Load()
}

// forget drops what the request has loaded: after a write it may be stale.
func forget(ctx context.Context) {
	l := ctx.Value(loadersKey{}).(*requestLoaders)
	l.current.Store(newLoaders(l.store))
}

// point loads for each parent the thing that it points to, nil where it points to nothing.
func point[P, T, N any](ctx context.Context, l loader[uuid.UUID, *T], parents []*P, ref func(*P) *uuid.UUID, as func(*T) *N) ([]*N, error) {
	var keys []uuid.UUID
	for _, p := range parents {
		if id := ref(p); id != nil {
			keys = append(keys, *id)
		}
	}
	found, err := l.load(ctx, keys)
	if err != nil {
		return nil, err
	}
	things := make([]*N, len(parents))
	for i, p := range parents {
		if ref(p) != nil {
			things[i], found = as(found[0]), found[1:]
		}
	}
	return things, nil
}

// list loads for each parent at most first of the things that belong to it.
func list[P, T, N any](ctx context.Context, l loader[part, []*T], parents []*P, first int32, id func(*P) uuid.UUID, as func(*T) *N) ([][]N, error) {
	limit, err := within("first", first, maxPage)
	if err != nil {
		return nil, err
	}
	keys := make([]part, len(parents))
	for i, p := range parents {
		keys[i] = part{id(p), limit}
	}
	found, err := l.load(ctx, keys)
	if err != nil {
		return nil, err
	}
	lists := make([][]N, len(parents))
	for i, things := range found {
		lists[i] = values(things, as)
	}
	return lists, nil
}

func values[T, N any](things []*T, as func(*T) *N) []N {
	vs := make([]N, len(things))
	for i, t := range things {
		vs[i] = *as(t)
	}
	return vs
}

// The nouns as the API's types.
func asRegion(r *groundwork.Region) *model.Region                   { return (*model.Region)(r) }
func asSite(s *groundwork.Site) *model.Site                         { return (*model.Site)(s) }
func asCategory(c *groundwork.Category) *model.Category             { return (*model.Category)(c) }
func asOrgUnit(u *groundwork.OrgUnit) *model.OrgUnit                { return (*model.OrgUnit)(u) }
func asDispatchRule(r *groundwork.DispatchRule) *model.DispatchRule { return (*model.DispatchRule)(r) }
func asOfficial(o *groundwork.Official) *model.Official             { return (*model.Official)(o) }
func asPost(h *groundwork.PostHolding) *model.PostHolding           { return (*model.PostHolding)(h) }
func asVisit(v *groundwork.Visit) *model.Visit                      { return (*model.Visit)(v) }
func asOpinion(o *groundwork.Opinion) *model.Opinion                { return (*model.Opinion)(o) }
func asIssue(i *groundwork.Issue) *model.Issue                      { return (*model.Issue)(i) }
func asEvent(e *groundwork.Event) *model.IssueEvent                 { return (*model.IssueEvent)(e) }
func asClaim(c *groundwork.Claim) *model.Claim                      { return (*model.Claim)(c) }
func asFeedback(f *groundwork.Feedback) *model.Feedback             { return (*model.Feedback)(f) }
func asLeg(l *groundwork.Leg) *model.DispatchLeg                    { return (*model.DispatchLeg)(l) }
func asSpell(s *groundwork.Spell) *model.ClockSpell                 { return (*model.ClockSpell)(s) }
func asTarget(v *groundwork.TargetVersion) *model.TargetVersion     { return (*model.TargetVersion)(v) }
func asCallAttempt(a *groundwork.CallbackAttempt) *model.CallbackAttempt {
	return (*model.CallbackAttempt)(a)
}
