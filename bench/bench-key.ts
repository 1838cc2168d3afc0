/** The API key of the product's server in the benchmark. */
export const BENCH_KEY = 'a-key-for-benchmarks'
