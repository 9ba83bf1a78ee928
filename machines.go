package groundwork

//go:generate go test -run "TestLivesAreDocumented|TestPermissionsAreDocumented" -update .

// Machines lists the lives of all nouns, as they are shown in the docs and tested.
func Machines() []Machine {
	return []Machine{
		LifecycleMachine(),
		CampaignMachine(),
		TaskMachine(),
		PolicyMachine(),
		VisitMachine(),
		SlotMachine(),
		DiscussionMachine(),
		SubjectTargetMachine(),
		FlagMachine(),
		AssessmentMachine(),
	}
}
