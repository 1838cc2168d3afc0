/**
 * The shapes of workflows that people have recorded: which levels they have, how they fan out and in, how many parts they fall
 * into. From the descriptions of the Pegasus and WfCommons collections (Bharathi et al., "Characterization of scientific
 * workflows", 2008; Coleman et al., "WfCommons", 2022), of Alibaba's batch traces, and of the Standard Task Graph Set (Tobita
 * and Kasahara, 2002). Facts of their structure only; sizes are ours.
 */

/** The steps that come before each step. */
export type Shape = Map<string, string[]>

export interface RecordedShape {
  readonly name: string
  /** What is there exactly: the number of steps, of those without anything before, without anything after, and of parts. */
  readonly steps: number
  readonly sources: number
  readonly sinks: number
  readonly parts: number
  readonly make: () => Shape
}

/** Builds a shape level by level. */
class Draft {
  readonly shape: Shape = new Map()

  add(key: string, ...after: string[]): string {
    this.shape.set(key, after)
    return key
  }

  /** So many of a kind, each after what is said of its number. */
  level(name: string, count: number, after: (n: number) => string[] = () => []): string[] {
    return range(count).map((n) => this.add(`${name}_${n}`, ...after(n)))
  }
}

const range = (count: number) => Array.from({ length: count }, (_, n) => n)

/** Images are projected, neighbours compared, the background is modeled for all, corrected for each, and all are added. */
function montage(images: number, overlaps: number): Shape {
  const draft = new Draft()
  const projected = draft.level('project', images)
  const at = (n: number) => projected[n % images]!
  // the first neighbour, then the one after it, and so on
  const fits = draft.level('diff_fit', overlaps, (n) => [at(n), at(n + 1 + Math.floor(n / images))])
  const model = draft.add('bg_model', draft.add('concat_fit', ...fits))
  const corrected = draft.level('background', images, (n) => [projected[n]!, model])
  const table = draft.add('imgtbl', ...corrected)
  draft.add('viewer', draft.add('shrink', draft.add('add', table, ...corrected)))
  return draft.shape
}

/** Lanes of a sequencer are split; every chunk goes through a chain of its own; merged per lane, and then over all. */
function epigenomics(lanes: number, chunks: number): Shape {
  const draft = new Draft()
  const merged = range(lanes).map((lane) => {
    const split = draft.add(`split_${lane}`)
    const mapped = range(chunks).map((chunk) =>
      ['filter', 'sol2sanger', 'fastq2bfq', 'map'].reduce(
        (before, kind) => draft.add(`${kind}_${lane}_${chunk}`, before),
        split,
      ),
    )
    return draft.add(`merge_${lane}`, ...mapped)
  })
  draft.add('pileup', draft.add('maq_index', draft.add('merge', ...merged)))
  return draft.shape
}

/** Two extracts a site; of each many syntheses, a peak of each; all syntheses and all peaks are packed: two sinks. */
function cyberShake(extracts: number, each: number): Shape {
  const draft = new Draft()
  const tensors = draft.level('extract', extracts)
  const synthesized = draft.level('synthesis', extracts * each, (n) => [tensors[n % extracts]!])
  const peaks = draft.level('peak', synthesized.length, (n) => [synthesized[n]!])
  draft.add('zip_seismograms', ...synthesized)
  draft.add('zip_peaks', ...peaks)
  return draft.shape
}

/** The search for small RNAs, once for each replicon: they have nothing to do with each other. */
function sipht(replicons: number, patsers: number): Shape {
  const draft = new Draft()
  for (const r of range(replicons)) {
    const found = draft.level(`patser_${r}`, patsers)
    const concatenated = draft.add(`patser_concate_${r}`, ...found)
    const terminators = ['transterm', 'findterm', 'rnamotif', 'blast'].map((kind) => draft.add(`${kind}_${r}`))
    const srna = draft.add(`srna_${r}`, ...terminators)
    const parsed = draft.add(`ffn_parse_${r}`, srna)
    const blasts = ['candidate', 'qrna', 'paralogues'].map((kind) => draft.add(`blast_${kind}_${r}`, srna))
    const synteny = draft.add(`blast_synteny_${r}`, parsed)
    draft.add(`annotate_${r}`, concatenated, synteny, ...blasts)
  }
  return draft.shape
}

/** Template banks, matched filters, coincidences of a group; and all of it a second time with what is left. */
function inspiral(groups: number, each: number): Shape {
  const draft = new Draft()
  for (const g of range(groups)) {
    const banks = draft.level(`bank_${g}`, each)
    const filtered = draft.level(`inspiral_${g}`, each, (n) => [banks[n]!])
    const coincident = draft.add(`thinca_${g}`, ...filtered)
    const triggers = draft.level(`trigbank_${g}`, each, () => [coincident])
    const again = draft.level(`inspiral2_${g}`, each, (n) => [triggers[n]!])
    draft.add(`thinca2_${g}`, ...again)
  }
  return draft.shape
}

/** Chromosomes apart; each read in pieces, merged, sifted, and compared for every population in two ways. */
function thousandGenomes(chromosomes: number, pieces: number, populations: number): Shape {
  const draft = new Draft()
  for (const c of range(chromosomes)) {
    const merged = draft.add(`merge_${c}`, ...draft.level(`individuals_${c}`, pieces))
    const sifted = draft.add(`sifting_${c}`)
    draft.level(`overlap_${c}`, populations, () => [merged, sifted])
    draft.level(`frequency_${c}`, populations, () => [merged, sifted])
  }
  return draft.shape
}

/** As many sources as there are stations, and one sink. */
function seismology(stations: number): Shape {
  const draft = new Draft()
  draft.add('sift_by_misfit', ...draft.level('deconvolve', stations))
  return draft.shape
}

/** One source, a fan, two sinks. */
function blast(parts: number): Shape {
  const draft = new Draft()
  const split = draft.add('split_fasta')
  const searched = draft.level('blastall', parts, () => [split])
  draft.add('cat_blast', ...searched)
  draft.add('cat', ...searched)
  return draft.shape
}

/** Two sources, a fan after both, and two steps that gather. */
function bwa(parts: number): Shape {
  const draft = new Draft()
  const before = [draft.add('bwa_index'), draft.add('fastq_reduce')]
  const aligned = draft.level('bwa', parts, () => before)
  draft.add('cat', draft.add('cat_bwa', ...aligned))
  return draft.shape
}

/** Every archive is fetched and unpacked by itself, aligned to one index; merged in groups, and then over all. */
function sraSearch(archives: number, group: number): Shape {
  const draft = new Draft()
  const index = draft.add('bowtie2_build')
  const fetched = draft.level('prefetch', archives)
  const unpacked = draft.level('fasterq_dump', archives, (n) => [fetched[n]!])
  const aligned = draft.level('bowtie2', archives, (n) => [index, unpacked[n]!])
  const merged = draft.level('merge', Math.ceil(archives / group), (n) => aligned.slice(n * group, (n + 1) * group))
  draft.add('merge_all', ...merged)
  return draft.shape
}

/** A chain for each sample, a fan of callers behind it, genotypes over all samples, and two filters at the end. */
function soyKb(samples: number, callers: number): Shape {
  const draft = new Draft()
  const chain = ['align', 'sort', 'dedup', 'add_replace', 'realign_target', 'indel_realign']
  const called = range(samples).map((sample) => {
    let realigned: string[] = []
    for (const kind of chain) realigned = [draft.add(`${kind}_${sample}`, ...realigned)]
    return draft.level(`haplotype_${sample}`, callers, () => realigned)
  })
  const genotypes = draft.level('genotype', callers, (n) => called.map((each) => each[n]!))
  const combined = draft.add('combine_variants', ...genotypes)
  for (const kind of ['snp', 'indel']) draft.add(`filter_${kind}`, draft.add(`select_${kind}`, combined))
  draft.add('merge_gvcf', ...called.flat())
  return draft.shape
}

/** A batch of jobs: most tasks stand alone, the others form chains, pairs that are joined, and small trees. */
function alibabaBatch(jobs: number): Shape {
  const draft = new Draft()
  for (const job of range(jobs)) {
    const key = (task: string) => `${task}_of_${job}`
    // as its traces name them: R3_1_2 comes after M1 and M2
    if (job % 2 === 0) draft.add(key('task'))
    else if (job % 8 === 1) draft.add(key('R3'), draft.add(key('R2'), draft.add(key('M1'))))
    else if (job % 8 === 3) draft.add(key('J3'), draft.add(key('M1')), draft.add(key('M2')))
    else if (job % 8 === 5) for (const n of [2, 3, 4]) draft.add(key(`R${n}`), draft.add(key('M1')))
    else {
      const joined = draft.add(key('J4'), draft.add(key('M1')), draft.add(key('M2')), draft.add(key('M3')))
      draft.add(key('R6'), draft.add(key('R5'), joined), joined)
    }
  }
  return draft.shape
}

/** Random tasks between one entry and one exit, each after a few of those before it. */
function standardTaskGraph(tasks: number, mean: number): Shape {
  const draft = new Draft()
  const random = randomNumbers(tasks)
  const keys = [draft.add('entry')]
  const hasNext = new Set<string>()
  for (const n of range(tasks)) {
    const wanted = 1 + Math.floor(random() * (2 * mean - 1))
    const before = new Set(range(wanted).map(() => keys[Math.floor(random() * keys.length)]!))
    for (const key of before) hasNext.add(key)
    keys.push(draft.add(`task_${n}`, ...before))
  }
  draft.add('exit', ...keys.filter((key) => !hasNext.has(key)))
  return draft.shape
}

/** The same numbers each time (Park and Miller, 1988). */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

const shape = (
  name: string,
  [steps, sources, sinks, parts]: readonly [number, number, number, number],
  make: () => Shape,
): RecordedShape => ({ name, steps, sources, sinks, parts, make })

export const RECORDED_SHAPES: readonly RecordedShape[] = [
  shape('Montage', [58, 12, 1, 1], () => montage(12, 28)),
  shape('Montage, large', [1_006, 200, 1, 1], () => montage(200, 600)),
  shape('Epigenomics', [123, 4, 1, 1], () => epigenomics(4, 7)),
  shape('CyberShake', [206, 4, 2, 1], () => cyberShake(4, 25)),
  shape('Sipht', [150, 110, 5, 5], () => sipht(5, 18)),
  shape('LIGO Inspiral', [132, 30, 6, 6], () => inspiral(6, 5)),
  shape('1000Genome', [78, 33, 42, 3], () => thousandGenomes(3, 10, 7)),
  shape('Seismology', [101, 100, 1, 1], () => seismology(100)),
  shape('Seismology, large', [1_000, 999, 1, 1], () => seismology(999)),
  shape('BLAST', [103, 1, 2, 1], () => blast(100)),
  shape('BWA', [104, 2, 1, 1], () => bwa(100)),
  shape('SRASearch', [100, 31, 1, 1], () => sraSearch(30, 4)),
  shape('SoyKB', [165, 10, 3, 1], () => soyKb(10, 9)),
  shape('Alibaba batch', [200, 110, 100, 80], () => alibabaBatch(80)),
  shape('STG, sparse', [52, 1, 1, 1], () => standardTaskGraph(50, 2)),
  shape('STG, dense', [302, 1, 1, 1], () => standardTaskGraph(300, 6)),
]
