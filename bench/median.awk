# Read by bench/tune and bench/peers/table before the script of each.

# Sorts values[1 .. count] and gives their median.
function median(count, i, j, value) {
  for (i = 2; i <= count; i++) {
    value = values[i]
    for (j = i - 1; j >= 1 && values[j] > value; j--) values[j + 1] = values[j]
    values[j + 1] = value
  }
  return count % 2 ? values[(count + 1) / 2] : (values[count / 2] + values[count / 2 + 1]) / 2
}
