// Package simulate generates an invented province with known truth: places, units, officials, visits, opinions and issues with
// their whole lives, in which hot spots, silent regions, copied notes, careless units and the effects of policies are planted.
// What is planted stands in the truth file, so that a measure can be judged by whether it finds it.
//
// Everything follows from the options alone. Issue n is a function of the seed and n, so any part can be made by any worker in
// any order, in memory that does not grow with the number of issues. Every step of an issue's life is planned by the rules of
// package groundwork: nothing here can happen that the API would refuse.
package simulate
