// A round-robin tournament by the circle method.
//
// Lucas: Recreations mathematiques, vol. 2 (1883), who credits Walecki. One player sits in the middle, the other m =
// N-1 (odd) on a circle. In round k those meet whose numbers add to k mod m; for the one with 2r = k the other would be
// itself, and it meets the middle. An odd number of ranks leaves the middle empty. Six ranks, 5 in the middle:
//
//   round 0   0-5  1-4  2-3        round 2   1-5  0-2  3-4        round 4   2-5  0-4  1-3
//   round 1   3-5  0-1  2-4        round 3   4-5  0-3  1-2
//
// Every two meet once: two numbers of the circle have one sum, and as m is odd each of them is once half of k.
#include "ringside/collective.h"

uint32_t rs_tournament_rounds(uint32_t rank_count) {
  return rank_count < 2 ? 0 : rank_count % 2 == 0 ? rank_count - 1 : rank_count;
}

uint32_t rs_tournament_partner(uint32_t rank_count, uint32_t round, uint32_t rank) {
  const uint32_t circle = rs_tournament_rounds(rank_count), middle = circle;
  if (circle == 0) {
    return rank;
  }
  uint32_t partner;
  if (rank == middle) {
    partner = round / 2 + (round % 2) * (circle / 2 + 1); // 2 partner = round (mod circle)
  } else {
    partner = (uint32_t)(((uint64_t)round + circle - rank) % circle);
    partner = partner == rank ? middle : partner;
  }
  return partner < rank_count ? partner : rank;
}
