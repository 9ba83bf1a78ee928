// Package stats computes the statistics behind the measures from small tables
// that the database has already aggregated. It is pure: no database, no clock,
// and no randomness but that of a seed given.
//
// Survival measures start from a life table ([LifeRow]): one row per distinct
// time with the number of subjects that left by each cause, so that a hundred
// million issues arrive as some thousands of rows. [Fit] turns it into a
// [Curve], which answers Kaplan–Meier, Aalen–Johansen, quantile and restricted
// mean questions. Proportions ([Wilson], [ClopperPearson]), counts and rates
// ([Garwood], [PoissonRatio]) and shrunk rates ([Shrink]) start from counts.
// Hot spots in space ([GiStar], [Scan]) and time ([Predict], [Farrington]),
// bunching ([Bunch]), inequality ([TheilT], [ConcentrationIndex]), fair
// comparison ([Standardise], [Funnel]) and policy effects ([DiD]) complete them.
//
// No answer is a bare number: an [Estimate] carries its n, its 95 % interval,
// the name of the method, and whether it is known and stable.
package stats
