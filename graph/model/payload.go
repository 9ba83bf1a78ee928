package model

// IssuePayload is what every step of an issue answers.
type IssuePayload struct {
	Issue            *Issue
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}
