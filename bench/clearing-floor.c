/*
 * The floor of the clearing benchmark: the same algorithm as src/clearing, bare. All curves are summed into buckets of
 * price and the crossing bucket into ticks, in sums that don't depend on the order, and the price is where they cross.
 * It knows no plateaus, jumps or errors; the data have none where it looks.
 *
 * Usage: clearing-floor FILE ROUNDS. FILE: int32 curves, int32 points, then columns as in curve-columns.ts: for each curve
 * int32 starts and lengths, for each point double prices, double powers, int32 ticks, int32 ticks up to. Prints the best
 * time in ms and the price.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BUCKET_BITS 12
#define TICKS (1 << BUCKET_BITS)
#define STRIDE 4

static const double COARSE = 1.5 * 1073741824.0, FINE = 48.0, HALF_FINE = 3.552713678800501e-15;
static const double UNDER = 1 - 8.881784197001252e-16;
static const double TICK = 1e-6, BUCKET = TICKS / 1e6;

struct parts {
  double first[2], whole[2], last[2];
};

static int32_t curves, points, *starts, *lengths, *ticks, *upto;
static double *prices, *powers;

static inline double tick_start(int tick) { return tick / 1e6; }

/* Deals a rise out to the cells that a line passes; see spread.ts. */
static inline void spread(double coarse, double fine, double slope, double first_width, double width, int whole_cells,
                          struct parts *parts) {
  double rise = coarse + fine, first = slope * first_width;
  if (!(first <= rise)) first = rise;
  double first_coarse = first + COARSE - COARSE, first_fine = first - first_coarse - HALF_FINE + FINE - FINE;
  double whole_coarse = 0, whole_fine = 0;
  if (whole_cells > 0) {
    double whole = slope * width;
    if (first + whole_cells * whole > rise) whole = (rise - first) / whole_cells * UNDER;
    whole_coarse = whole + COARSE - COARSE;
    whole_fine = whole - whole_coarse - HALF_FINE + FINE - FINE;
  }
  double last_fine = fine - first_fine - whole_cells * whole_fine, carry = last_fine + COARSE - COARSE;
  double last_coarse = coarse - first_coarse - whole_cells * whole_coarse + carry;
  if (last_coarse + (last_fine - carry) < 0) {
    *parts = (struct parts){{0, 0}, {0, 0}, {coarse, fine}};
    return;
  }
  *parts = (struct parts){{first_coarse, first_fine}, {whole_coarse, whole_fine}, {last_coarse, last_fine - carry}};
}

static inline void add(double *place, const double *part, double sign) {
  place[0] += sign * part[0];
  place[1] += sign * part[1];
}

/* How the line that ends at a point spreads over buckets. */
static inline void over_buckets(int point, int bucket, int last, double coarse, double fine, struct parts *parts) {
  double slope = (powers[point] - powers[point - 1]) / (prices[point] - prices[point - 1]) * UNDER;
  double first_width = tick_start((bucket + 1) << BUCKET_BITS) - prices[point - 1];
  spread(coarse, fine, slope, first_width, BUCKET, last - bucket - 1, parts);
}

static void sum_buckets(int first_bucket, double *sums, double base[2]) {
  struct parts parts;
  for (int curve = 0; curve < curves; curve++) {
    int start = starts[curve], stop = start + lengths[curve];
    double from = powers[start], from_coarse = from + COARSE - COARSE, from_fine = from - from_coarse + FINE - FINE;
    base[0] += from_coarse;
    base[1] += from_fine;
    for (int point = start + 1; point < stop; point++) {
      double to = powers[point];
      if (to == from) continue;
      double coarse = to + COARSE - COARSE, fine = to - coarse + FINE - FINE;
      double rise[2] = {coarse - from_coarse, fine - from_fine};
      int bucket = ticks[point - 1] >> BUCKET_BITS, last = upto[point] >> BUCKET_BITS;
      double *begin = sums + (bucket - first_bucket) * STRIDE, *end = sums + (last - first_bucket) * STRIDE;
      if (last <= bucket) {
        add(begin, rise, 1);
      } else {
        over_buckets(point, bucket, last, rise[0], rise[1], &parts);
        add(begin, parts.first, 1);
        add(end, parts.last, 1);
        if (last - bucket > 1) {
          add(begin + STRIDE + 2, parts.whole, 1);
          add(end + 2, parts.whole, -1);
        }
      }
      from = to;
      from_coarse = coarse;
      from_fine = fine;
    }
  }
}

static void line_into_ticks(int point, int bucket, double *sums) {
  struct parts parts;
  int tick = ticks[point - 1], up_to = upto[point], begins = tick >> BUCKET_BITS, ends = up_to >> BUCKET_BITS;
  int zero = bucket << BUCKET_BITS, is_tail = bucket != begins;
  double from = powers[point - 1], from_coarse = from + COARSE - COARSE;
  double to = powers[point], to_coarse = to + COARSE - COARSE;
  double part[2] = {to_coarse - from_coarse, to - to_coarse + FINE - FINE - (from - from_coarse + FINE - FINE)};
  if (ends > begins) {
    over_buckets(point, begins, ends, part[0], part[1], &parts);
    memcpy(part, is_tail ? parts.last : parts.first, sizeof part);
  }
  int first = is_tail ? zero : tick, last = ends > bucket ? zero + TICKS - 1 : up_to;
  double *begin = sums + (first - zero) * STRIDE + 2, *end = sums + (last - zero) * STRIDE + 2;
  if (last <= first) {
    add(begin, part, 1);
    add(begin + STRIDE, part, -1);
    return;
  }
  double slope = (to - from) / (prices[point] - prices[point - 1]) * UNDER;
  double first_width = tick_start(first + 1) - (is_tail ? tick_start(zero) : prices[point - 1]);
  spread(part[0], part[1], slope, first_width, TICK, last - first - 1, &parts);
  add(begin, parts.first, 1);
  add(begin + STRIDE, parts.whole, 1);
  add(begin + STRIDE, parts.first, -1);
  add(end, parts.last, 1);
  add(end, parts.whole, -1);
  add(end + STRIDE, parts.last, -1);
}

static void sum_ticks(int bucket, double *sums) {
  for (int curve = 0; curve < curves; curve++) {
    int start = starts[curve], stop = start + lengths[curve];
    for (int point = start + 1; point < stop; point++) {
      int touches = ticks[point - 1] >> BUCKET_BITS == bucket || upto[point] >> BUCKET_BITS == bucket;
      if (touches && powers[point] != powers[point - 1]) line_into_ticks(point, bucket, sums);
    }
  }
}

/* The first cell by whose end the sum has come up to 0; before, run: as of that cell. */
static int seek(const double *sums, int cells, const double start[2], double even, double before[2], double run[2]) {
  before[0] = before[1] = run[0] = run[1] = 0;
  for (int cell = 0; cell < cells; cell++, sums += STRIDE) {
    add(run, sums + 2, 1);
    double coarse = before[0] + sums[0] + run[0], fine = before[1] + sums[1] + run[1];
    if (start[0] + coarse + (start[1] + fine) + even / cells * (cell + 1) >= 0) return cell;
    before[0] = coarse;
    before[1] = fine;
  }
  return cells - 1;
}

static double clear(void) {
  int lowest = INT32_MAX, highest = INT32_MIN;
  for (int curve = 0; curve < curves; curve++) {
    int first = ticks[starts[curve]], last = ticks[starts[curve] + lengths[curve] - 1];
    if (first < lowest) lowest = first;
    if (last > highest) highest = last;
  }
  int first_bucket = lowest >> BUCKET_BITS, buckets = (highest >> BUCKET_BITS) - first_bucket + 1;
  double *sums = calloc((size_t)(buckets + 1) * STRIDE, sizeof *sums), base[2] = {0, 0}, before[2], run[2];
  sum_buckets(first_bucket, sums, base);
  int bucket = first_bucket + seek(sums, buckets, base, 0, before, run);
  free(sums);
  double even = run[0] + run[1], start[2] = {base[0] + before[0], base[1] + before[1]};

  sums = calloc((TICKS + 1) * STRIDE, sizeof *sums);
  sum_ticks(bucket, sums);
  int cell = seek(sums, TICKS, start, even, before, run), tick = (bucket << BUCKET_BITS) + cell;
  double own[2] = {sums[cell * STRIDE], sums[cell * STRIDE + 1]};
  free(sums);
  double at[2] = {start[0] + before[0], start[1] + before[1]};
  double from_kw = at[0] + own[0] + (at[1] + own[1]) + even / TICKS * cell;
  double to_kw = at[0] + own[0] + run[0] + (at[1] + own[1] + run[1]) + even / TICKS * (cell + 1);
  double from = tick_start(tick), to = tick_start(tick + 1), share = (0 - from_kw) / (to_kw - from_kw);
  return share < 0.5 ? from + share * (to - from) : to - (1 - share) * (to - from);
}

static void *column(FILE *file, size_t size, int32_t count) {
  void *values = malloc(size * (size_t)count);
  if (values == NULL || fread(values, size, (size_t)count, file) != (size_t)count) exit(2);
  return values;
}

int main(int argc, char **argv) {
  FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
  if (file == NULL || fread(&curves, sizeof curves, 1, file) != 1) return 2;
  if (fread(&points, sizeof points, 1, file) != 1) return 2;
  starts = column(file, sizeof *starts, curves);
  lengths = column(file, sizeof *lengths, curves);
  prices = column(file, sizeof *prices, points);
  powers = column(file, sizeof *powers, points);
  ticks = column(file, sizeof *ticks, points);
  upto = column(file, sizeof *upto, points);
  fclose(file);
  double best = INFINITY, price = 0;
  for (int round = atoi(argv[2]); round > 0; round--) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    price = clear();
    clock_gettime(CLOCK_MONOTONIC, &end);
    double ms = (double)(end.tv_sec - begin.tv_sec) * 1e3 + (double)(end.tv_nsec - begin.tv_nsec) / 1e6;
    if (ms < best) best = ms;
  }
  printf("%.6f %.17g\n", best, price);
  return 0;
}
