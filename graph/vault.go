package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

// contactOf reads the contact of an input.
func contactOf(in graphql.Omittable[*model.ContactInput]) *groundwork.Contact {
	c := in.Value()
	if c == nil {
		return nil
	}
	return &groundwork.Contact{Name: or(c.Name), Phone: or(c.Phone), Email: or(c.Email), IDNumber: or(c.IDNumber), Address: or(c.Address)}
}

// unlessEmpty is null for what nobody said.
func unlessEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (r *Resolver) readContact(ctx context.Context, input model.ReadContactInput) (*model.ReadContactPayload, error) {
	var ids refs
	query := groundwork.ContactQuery{
		OpinionID: ids.opt(input.OpinionID, model.TypeOpinion, "opinionId"), IssueID: ids.opt(input.IssueID, model.TypeIssue, "issueId"), Purpose: input.Purpose,
	}
	var read []groundwork.Reporter
	_, done, err := write(ctx, ids, input.ClientMutationID, func(by groundwork.Actor) (_ *struct{}, receipt groundwork.Receipt, err error) {
		read, receipt, err = r.store.ReadContacts(ctx, by, query)
		return nil, receipt, err
	})
	if err != nil {
		return nil, err
	}
	contacts := make([]model.Contact, len(read))
	for i, c := range read {
		contacts[i] = model.Contact{Reporter: c.PID.String(), Name: unlessEmpty(c.Name), Phone: unlessEmpty(c.Phone), Email: unlessEmpty(c.Email),
			IDNumber: unlessEmpty(c.IDNumber), Address: unlessEmpty(c.Address)}
	}
	return &model.ReadContactPayload{Contacts: contacts, UserErrors: done.userErrors, ClientMutationID: input.ClientMutationID.Value()}, nil
}

func (r *Resolver) nameOfficial(ctx context.Context, input model.NameOfficialInput) (*model.NameOfficialPayload, error) {
	var ids refs
	name := groundwork.OfficialName{OfficialID: ids.one(input.OfficialID, model.TypeOfficial, "officialId"), Name: input.Name, Phone: or(input.Phone)}
	_, done, err := write(ctx, ids, input.ClientMutationID, func(by groundwork.Actor) (*struct{}, groundwork.Receipt, error) {
		receipt, err := r.store.NameOfficial(ctx, by, name)
		return nil, receipt, err
	})
	if err != nil {
		return nil, err
	}
	return &model.NameOfficialPayload{UserErrors: done.userErrors, ClientMutationID: input.ClientMutationID.Value()}, nil
}

func (r *Resolver) readOfficialNames(ctx context.Context, input model.ReadOfficialNamesInput) (*model.ReadOfficialNamesPayload, error) {
	var ids refs
	officials := ids.many(input.OfficialIds, model.TypeOfficial, "officialIds")
	if ids.err == nil && (len(officials) == 0 || len(officials) > maxPage) {
		ids.err = groundwork.Invalid("officialIds", "give 1 to %d officials, not %d", maxPage, len(officials))
	}
	var read []groundwork.OfficialName
	_, done, err := write(ctx, ids, input.ClientMutationID, func(by groundwork.Actor) (_ *struct{}, receipt groundwork.Receipt, err error) {
		read, receipt, err = r.store.ReadOfficialNames(ctx, by, officials, input.Purpose)
		return nil, receipt, err
	})
	if err != nil {
		return nil, err
	}
	names := make([]model.OfficialName, len(read))
	for i, n := range read {
		names[i] = model.OfficialName{OfficialID: model.ID{Type: model.TypeOfficial, UUID: n.OfficialID}, Name: n.Name, Phone: unlessEmpty(n.Phone)}
	}
	return &model.ReadOfficialNamesPayload{Names: names, UserErrors: done.userErrors, ClientMutationID: input.ClientMutationID.Value()}, nil
}

func (r *Resolver) breakGlass(ctx context.Context, input model.BreakGlassInput) (*model.GlassPayload, error) {
	var ids refs
	glass := groundwork.Glass{
		OpinionID: ids.opt(input.OpinionID, model.TypeOpinion, "opinionId"), IssueID: ids.opt(input.IssueID, model.TypeIssue, "issueId"), Reason: input.Reason,
	}
	return writeGlass(ctx, ids, input.ClientMutationID, func(by groundwork.Actor) (*groundwork.Glass, groundwork.Receipt, error) {
		return r.store.BreakGlass(ctx, by, glass)
	})
}

func (r *Resolver) revokeGlass(ctx context.Context, input model.RevokeGlassInput) (*model.GlassPayload, error) {
	var ids refs
	id := ids.one(input.ID, model.TypeGlass, "id")
	return writeGlass(ctx, ids, input.ClientMutationID, func(by groundwork.Actor) (*groundwork.Glass, groundwork.Receipt, error) {
		return r.store.RevokeGlass(ctx, by, id)
	})
}

func writeGlass(ctx context.Context, ids refs, clientMutationID graphql.Omittable[*string], do func(groundwork.Actor) (*groundwork.Glass, groundwork.Receipt, error)) (*model.GlassPayload, error) {
	glass, done, err := write(ctx, ids, clientMutationID, do)
	if err != nil {
		return nil, err
	}
	return &model.GlassPayload{Glass: asGlass(glass), UserErrors: done.userErrors, Consistency: done.consistency, ClientMutationID: clientMutationID.Value()}, nil
}

func asGlass(g *groundwork.Glass) *model.Glass { return (*model.Glass)(g) }

// glassOpinion and glassIssue are what a glass opens.
func glassOpinion(g *model.Glass) *uuid.UUID { return g.OpinionID }
func glassIssue(g *model.Glass) *uuid.UUID   { return g.IssueID }
