#include "order_print.h"

#define SAME 0.995 // times closer than this are one

// ---- words ------------------------------------------------------------------------------------------------

static void print_source(const struct order_answer *answer) {
  const struct order_costs *costs = answer->costs;
  char size[32];
  size_t n = answer->placement->rank_count;
  switch (costs->kind) {
  case ORDER_COSTS_FABRIC:
    printf("fabric %s", answer->fabric);
    break;
  case ORDER_COSTS_PAIRS:
    printf("ping-pong times of %s", rs_format_size(costs->pair_bytes, size, sizeof size));
    break;
  case ORDER_COSTS_LINKS:
    printf("link delays");
    break;
  default:
    printf("distance");
    break;
  }
  if (costs->filled > 0)
    printf("; %zu of %zu links were not measured and take the mean of their distance", costs->filled, n * (n - 1));
}

static void print_order(const struct order_answer *answer) {
  const struct rs_placement *placement = answer->placement;
  for (size_t i = 0; i < placement->rank_count; i++) {
    uint32_t rank = answer->order->ranks[i], host = placement->ranks[rank].host;
    if (i == 0 || placement->ranks[answer->order->ranks[i - 1]].host != host)
      printf("%s  %s:", i ? "\n" : "", placement->hosts[host].hostname);
    printf(" %u", rank);
  }
  printf("\n");
}

static void print_crossings(const struct order_answer *answer) {
  static const char *const headings[] = {"links before", "after", "messages before", "after"};
  struct rs_table *table = rs_table_open();
  rs_table_column(table, RS_ALIGN_LEFT, "distance");
  for (size_t i = 0; i < RS_ARRAY_LENGTH(headings); i++)
    rs_table_column(table, RS_ALIGN_RIGHT, headings[i]);
  for (size_t d = 0; d < RS_DISTANCE_COUNT; d++) {
    const struct order_crossings *before = &answer->before[d], *after = &answer->after[d];
    if (before->links == 0 && after->links == 0)
      continue;
    rs_table_cell(table, "%s", rs_distance_names[d]);
    rs_table_cell(table, "%llu", (unsigned long long)before->links);
    rs_table_cell(table, "%llu", (unsigned long long)after->links);
    rs_table_cell(table, "%llu", (unsigned long long)before->messages);
    rs_table_cell(table, "%llu", (unsigned long long)after->messages);
  }
  rs_table_print(table, stdout);
  rs_table_close(table);
}

static void print_quality(const struct order_answer *answer) {
  const struct rs_rank_order *order = answer->order;
  if (order->cost < order->given_cost)
    printf("All messages together cost %.3g times less than in the order of the launch. ",
           order->given_cost / order->cost);
  else
    printf("The order of the launch stays: none that was found is better. ");
  if (order->exact)
    printf("No order is better.\n");
  else
    printf("The best order is at most %.2g%% better.\n", 100 * (1 - order->bound / order->cost));
}

void order_print_text(const struct order_answer *answer) {
  char size[32], before[32], after[32];
  printf("order of %zu ranks for %s/%s of %s, by ", answer->placement->rank_count,
         rs_collective_names[answer->algorithm->collective], answer->algorithm->name,
         rs_format_size(answer->size_bytes, size, sizeof size));
  print_source(answer);
  printf("\n\n");
  print_order(answer);
  printf("\n");
  print_crossings(answer);
  printf("\n");
  print_quality(answer);
  if (answer->fabric) {
    printf("Fabric %s makes expect %s before and %s after", answer->fabric,
           rs_format_ns(answer->before_ns, before, sizeof before), rs_format_ns(answer->after_ns, after, sizeof after));
    if (answer->after_ns < SAME * answer->before_ns)
      printf(": %.3g times as fast.\n", answer->before_ns / answer->after_ns);
    else
      printf(": what the time waits for stays what it was.\n");
  }
  if (rs_collective_traits[answer->algorithm->collective].rooted)
    printf("The root is rank %u: run it with --set root=%u.\n", answer->order->ranks[0], answer->order->ranks[0]);
}

// ---- JSON -------------------------------------------------------------------------------------------------

static void print_json_text(const char *text) {
  putchar('"');
  for (; *text; text++)
    if (*text == '"' || *text == '\\')
      printf("\\%c", *text);
    else if ((unsigned char)*text < ' ')
      printf("\\u%04x", (unsigned)*text);
    else
      putchar(*text);
  putchar('"');
}

void order_print_json(const struct order_answer *answer) {
  const struct rs_rank_order *order = answer->order;
  size_t n = answer->placement->rank_count;
  printf("{\"collective\": \"%s\", \"algorithm\": \"%s\", \"size_bytes\": %llu, \"costs\": \"%s\", \"filled\": %zu,\n "
         "\"order\": [",
         rs_collective_names[answer->algorithm->collective], answer->algorithm->name,
         (unsigned long long)answer->size_bytes, order_costs_names[answer->costs->kind], answer->costs->filled);
  for (size_t i = 0; i < n; i++)
    printf("%s%u", i ? ", " : "", order->ranks[i]);
  printf("],\n \"hosts\": [");
  for (size_t i = 0; i < n; i++) {
    printf("%s", i ? ", " : "");
    print_json_text(answer->placement->hosts[answer->placement->ranks[order->ranks[i]].host].hostname);
  }
  printf("],\n \"cost_before\": %.9g, \"cost_after\": %.9g, \"bound\": %.9g, \"exact\": %s,\n \"distances\": [",
         order->given_cost, order->cost, order->bound, order->exact ? "true" : "false");
  const char *separator = "";
  for (size_t d = 0; d < RS_DISTANCE_COUNT; d++) {
    const struct order_crossings *before = &answer->before[d], *after = &answer->after[d];
    if (before->links == 0 && after->links == 0)
      continue;
    printf("%s\n  {\"distance\": \"%s\", \"links_before\": %llu, \"links_after\": %llu, \"messages_before\": %llu, "
           "\"messages_after\": %llu}",
           separator, rs_distance_names[d], (unsigned long long)before->links, (unsigned long long)after->links,
           (unsigned long long)before->messages, (unsigned long long)after->messages);
    separator = ",";
  }
  printf("],\n \"fabric\": ");
  if (answer->fabric) {
    print_json_text(answer->fabric);
    printf(", \"expected_before_ns\": %.9g, \"expected_after_ns\": %.9g}\n", answer->before_ns, answer->after_ns);
  } else {
    printf("null}\n");
  }
}
