package outcome

import "strings"

// A term is a concept with its spellings. Two terms of one family are related, but not the same:
// they have a small part in common. Protocols treat the terms of one contrast as alternatives: a
// text about one of them is not about another.
type term struct {
	name     string
	families []string
}

// vocabulary lists the terms, one a line: the name, its families after colons, then its spellings. A
// line that begins with a tab continues the one before. It is general clinical knowledge. A spelling
// of two capital letters, or one with an exclamation mark, counts only if the text has capitals too.
const vocabulary = `
progressionfree :progression = PFS | progression free survival | progression free | rPFS | radiographic progression free survival
	| survival without progression
progression :progression = TTP | time to progression | time to tumor progression | time to disease progression | disease progression
	| tumor progression
diseasefree :recurrence = DFS | iDFS | disease free survival | disease free | invasive disease free survival | survival without disease
relapsefree :recurrence = RFS | relapse free survival | recurrence free survival | relapse free | recurrence free
eventfree :recurrence = EFS | event free survival | event free
metastasisfree :recurrence = MFS | DMFS | metastasis free survival | distant metastasis free survival
recurrence :recurrence = recurrence | relapse | recurrent | relapsed | time to recurrence | time to relapse | local recurrence | LR rate
death :death = OS | overall survival | mortality | death | all cause mortality | all cause death | deaths from any cause
	| death from any cause | death due to any cause | fatality | survival | survival time | survival rate | lethality | case fatality
cardiovasculardeath :death = cardiovascular death | cardiovascular mortality | CV death | cardiac death
cancerdeath :death = cancer specific survival | disease specific survival | cancer specific mortality | CSS | cancer death
objectiveresponse :response = ORR | RR | !OR | objective response rate | overall response rate | objective response | overall response
	| objective tumor response | tumor response | response rate | best overall response | radiological response
completeresponse :response = CR | complete response | complete remission | CRR
pathologicalresponse :response = pCR | pathologic complete response | pathological complete response | pathologic response
	| pathological response | complete pathological response | ypT0N0 | tumor regression grade | tumor regression | TRG
diseasecontrol :response = DCR | disease control rate | disease control | CBR | clinical benefit rate
responseduration :response = DOR | DoR | duration of response | response duration
recist :recist = RECIST | response evaluation criteria in solid tumors
treatmentfailure :progression = TTF | time to treatment failure | treatment failure
resection :resection = resection rate | R0 | R0 resection | resectability | complete resection | curative resection
	| conversion to resection | negative margin | resection margin | CRM | circumferential resection margin
safety :safety = safety | adverse event | adverse events | AE | AEs | TEAE | TEAEs | treatment emergent adverse events
	| treatment related adverse events | SAE | SAEs | serious adverse events | side effect | side effects | toxicity | toxicities
	| adverse reaction | adverse drug reaction | adverse effect | untoward effects | harms | safety profile | CTCAE | NCI CTCAE
	| common terminology criteria for adverse events
doselimiting :safety = DLT | DLTs | dose limiting toxicity | dose limiting toxicities | MTD | maximum tolerated dose
	| maximal tolerated dose | RP2D | recommended phase 2 dose | recommended phase ii dose | recommended dose
tolerability :safety = tolerability | tolerable | tolerance | tolerated
complication :complication = complication | complications | morbidity | postoperative complications | postoperative morbidity
	| surgical complications | Clavien Dindo | comprehensive complication index | perioperative morbidity | postoperative morbidities
pharmacokinetic :exposure = PK | pharmacokinetic | pharmacokinetics | PK profile | PK parameters
auc :exposure = AUC0 | AUCinf | AUClast | AUCtau | AUC ss | AUC 0 | plasma AUC | area under the concentration time curve
	| area under the concentration versus time curve | area under the plasma concentration time curve
	| area under the plasma concentration versus time curve | area under the serum concentration time curve | systemic exposure
	| drug exposure
areaundercurve = AUC | AUCs | area under curve | area under the curve
cmax :exposure = Cmax | peak concentration | maximum concentration | maximum plasma concentration | peak plasma concentration
	| maximum observed concentration | maximum observed plasma concentration | maximum serum concentration
tmax :exposure = Tmax | time to maximum concentration | time to peak concentration | time to cmax
halflife :exposure = half life | elimination half life | t1 2 | terminal half life
clearance = clearance | apparent clearance | CL F
pharmacodynamic = PD | pharmacodynamic | pharmacodynamics
immunogenicity :immune = immunogenicity | ADA | anti drug antibodies | antidrug antibodies | neutralizing antibodies | antibody titer
	| seroconversion | seroprotection | geometric mean titer | GMT | immune response | antibody response
qualityoflife :qualityoflife = QoL | HRQoL | HRQL | QOL | quality of life | health related quality of life | life quality | SF36 | SF 36
	| SF12 | SF 12 | short form 36 | EQ5D | EQ 5D | EuroQol | EORTC QLQ C30 | QLQ C30 | EORTC | FACT G | FACT C | WHOQOL | WHOQOL BREF
	| PedsQL
hba1c :glycaemia = HbA1c | A1c | A1C | hemoglobin A1c | glycated hemoglobin | glycosylated hemoglobin | glycohemoglobin
glucose :glycaemia = FPG | FBG | fasting plasma glucose | fasting blood glucose | fasting glucose | blood glucose | plasma glucose
	| blood sugar | glucose | glycemia | glycemic control | PPG | postprandial glucose
hypoglycemia :glycaemia = hypoglycemia | hypoglycemic events | hypoglycemic episodes
insulinresistance :glycaemia = HOMA IR | HOMA | insulin resistance | insulin sensitivity
diabetes = diabetes | diabetes mellitus | T2DM | T1DM | T2D | type 2 diabetes
bodymassindex :weight = BMI | body mass index
bodyweight :weight = body weight | bodyweight | weight loss | weight | weight gain | weight change
waist :weight = waist circumference | waist
bodycomposition :weight = body composition | lean body mass | fat mass | lean mass | muscle mass
bloodpressure :bloodpressure = BP | blood pressure | hypertension control | arterial pressure | MAP | mean arterial pressure
systolic :bloodpressure = SBP | systolic blood pressure | systolic
diastolic :bloodpressure = DBP | diastolic blood pressure | diastolic
heartrate = HR | heart rate | pulse rate | pulse
ldl :lipid = LDL | LDL C | LDL cholesterol | low density lipoprotein | low density lipoprotein cholesterol
hdl :lipid = HDL | HDL C | HDL cholesterol | high density lipoprotein | high density lipoprotein cholesterol
triglycerides :lipid = TG | triglyceride | triglycerides
cholesterol :lipid = total cholesterol | cholesterol | lipid profile | lipids | blood lipids
mace :cardiac = MACE | MACCE | major adverse cardiac events | major adverse cardiovascular events
	| major adverse cardiac and cerebrovascular events | major cardiovascular events
infarction :cardiac = MI | AMI | STEMI | myocardial infarction | heart attack
heartfailure :cardiac = HF | CHF | heart failure | cardiac failure
ejectionfraction :cardiac = LVEF | EF | ejection fraction | left ventricular ejection fraction
stroke = stroke | CVA | cerebrovascular accident
atrialfibrillation = AF | AFib | atrial fibrillation
revascularisation = TVR | TLR | PCI | revascularization | target vessel revascularization | target lesion revascularization
thrombosis :thrombosis = VTE | DVT | PE | venous thromboembolism | deep vein thrombosis | pulmonary embolism | thromboembolic events
	| thrombosis
bleeding :bleeding = bleeding | hemorrhage | blood loss | major bleeding | bleeding events | hemorrhagic events
transfusion :bleeding = transfusion | blood transfusion | RBC transfusion
fev1 :lung = FEV1 | FEV 1 | forced expiratory volume in 1 second | forced expiratory volume in one second | forced expiratory volume
fvc :lung = FVC | forced vital capacity | vital capacity
lungfunction :lung = PFT | lung function | pulmonary function | spirometry | PEF | peak expiratory flow
asthmacontrol :lung = ACQ | ACT score | asthma control | asthma control questionnaire | asthma control test
exacerbation = exacerbation | exacerbations | flare | flares | flare up
walkingdistance :fitness = 6MWT | 6MWD | six minute walk test | 6 minute walk test | 6 minute walk distance | walking distance
	| six minute walk distance
oxygenuptake :fitness = VO2 | VO2max | VO2peak | VO 2 | oxygen consumption | oxygen uptake | peak oxygen uptake | maximal oxygen uptake
	| CPET | cardiopulmonary exercise testing
exercisecapacity :fitness = exercise capacity | physical fitness | aerobic capacity | functional capacity | exercise tolerance
physicalfunction = physical function | physical functioning | functional status | ADL | activities of daily living | IADL | Barthel
	| WOMAC | HAQ | HAQ DI | Oswestry | ODI
oxygensaturation = SpO2 | SaO2 | oxygen saturation | desaturation | hypoxia | hypoxemia
ventilation = mechanical ventilation | ventilator free days | intubation | ventilation
pain :pain = pain | VAS pain | analgesia | pain intensity | pain score | NRS pain | pain severity | postoperative pain
opioid :pain = opioid | opioids | opioid consumption | morphine | morphine consumption | analgesic consumption | analgesic use
	| rescue analgesia | morphine equivalents | narcotic | analgesic requirement
visualscale = VAS | visual analog scale | visual analogue scale | NRS | numeric rating scale | numerical rating scale
nausea :nausea = PONV | CINV | nausea | vomiting | nausea and vomiting | emesis | postoperative nausea and vomiting
	| chemotherapy induced nausea and vomiting | antiemetic
emesisfree :nausea = no emesis | no vomiting | emesis free | complete protection from vomiting
neuropathy = neuropathy | numbness | tingling | numbness and tingling | paresthesia | paresthesias | sensory neuropathy
	| neurosensory toxicity | peripheral neuropathy | neurotoxicity | CIPN | chemotherapy induced peripheral neuropathy
	| peripheral sensory neuropathy
mucositis = mucositis | oral mucositis | stomatitis
neutropenia :bloodcount = neutropenia | febrile neutropenia | ANC | neutrophil count
anemia :bloodcount = anemia | hemoglobin | Hb | Hgb | hemoglobin level
platelets :bloodcount = thrombocytopenia | platelet count | platelets
handfoot = hand foot syndrome | HFS | hand foot skin reaction | HFSR | palmar plantar erythrodysesthesia | PPE
rash = rash | skin toxicity | skin toxicities | acneiform rash | dermatologic toxicity | dermatological toxicity
diarrhea = diarrhea | loose stools
constipation = constipation | bowel movement | bowel movements | spontaneous bowel movements | SBM
depression :mood = depression | depressive symptoms | MADRS | HAMD | HAM D | HDRS | PHQ 9 | PHQ9 | BDI | major depression | EPDS
anxiety :mood = anxiety | STAI | GAD 7 | GAD7 | HAMA | HAM A
distress :mood = distress | psychological distress | stress | perceived stress | PSS
sleep = sleep | insomnia | sleep quality | PSQI | ISI | sleep disturbance
fatigue = fatigue | CRF | cancer related fatigue | brief fatigue inventory | FACIT F | FACIT fatigue | tiredness | asthenia | MFI | BFI
cognition = cognition | cognitive function | cognitive functioning | MMSE | MoCA | neurocognitive function | cognitive impairment
	| ADAS Cog | cognitive performance
delirium = delirium | confusion | emergence agitation | CAM ICU
psychosis = PANSS | positive and negative syndrome scale | psychotic symptoms | schizophrenia symptoms
parkinson = UPDRS | MDS UPDRS | motor symptoms | parkinson
multiplesclerosis = EDSS | expanded disability status scale | disability progression
disability = disability | mRS | modified Rankin scale | Rankin
seizure = seizure | seizures | convulsions | epileptic
migraine = migraine | headache | headache days | migraine days
rheumatoid = ACR20 | ACR 20 | DAS28 | DAS 28 | disease activity score
psoriasis = PASI | PASI 75 | psoriasis area and severity index | psoriasis
eczema = EASI | eczema area and severity index | SCORAD | atopic dermatitis
viralload :virus = viral load | HIV RNA | viral RNA | virologic suppression | viral suppression | viremia | virologic response
	| virological response | undetectable viral load
sustainedresponse :virus = SVR | SVR12 | SVR 12 | sustained virologic response | sustained virological response
cd4 = CD4 | CD4 count | CD4 cell count | CD4 cells
infection :infection = infection | infections | infectious complications | sepsis | bacteremia | infected
woundinfection :infection = SSI | SSIs | surgical site infection | surgical site infections | surgical wound infection | wound infection
	| wound complications | wound healing complications | wound dehiscence
urinaryinfection :infection = UTI | urinary tract infection
pneumonia :infection = pneumonia | VAP | respiratory infection | chest infection
malaria = malaria | parasitemia | parasite clearance
cure = cure | clinical cure | cure rate | microbiological cure | eradication
kidneyfunction :kidney = GFR | eGFR | glomerular filtration rate | creatinine | serum creatinine | creatinine clearance | renal function
	| kidney function
kidneyinjury :kidney = AKI | acute kidney injury | acute renal failure | renal failure | contrast induced nephropathy
proteinuria :kidney = proteinuria | albuminuria | UACR | albumin creatinine ratio
liverfunction = ALT | AST | transaminases | liver enzymes | liver function | aminotransferase | liver function tests
inflammation :inflammation = CRP | C reactive protein | hsCRP | inflammation | inflammatory markers | inflammatory response | ESR
	| procalcitonin | PCT
cytokine :inflammation = cytokine | cytokines | IL 6 | IL6 | interleukin | interleukin 6 | TNF alpha | TNF | tumor necrosis factor
	| interleukins
biomarker = biomarker | biomarkers | marker | markers
cea = CEA | carcinoembryonic antigen
ctdna = ctDNA | cfDNA | circulating tumor DNA | cell free DNA | circulating tumor cells | CTC | CTCs
vitamind = vitamin D | 25 OH D | 25 hydroxyvitamin D | 25OHD
bonedensity = BMD | bone mineral density | bone density
fracture = fracture | fractures
fall = falls | fall rate | fallers
visualacuity = BCVA | VA | visual acuity | best corrected visual acuity
eyepressure = IOP | intraocular pressure
pregnancy :birth = pregnancy | clinical pregnancy | pregnancy rate | ongoing pregnancy | conception
livebirth :birth = live birth | live births
pretermbirth :birth = preterm birth | preterm delivery | premature birth | gestational age
caesarean :birth = cesarean | caesarean | C section | cesarean delivery | caesarean section | mode of delivery
birthweight :birth = birth weight | birthweight | low birth weight
miscarriage :birth = miscarriage | spontaneous abortion | pregnancy loss
lengthofstay :stay = LOS | LoS | length of stay | hospital stay | length of hospital stay | length of hospitalization
	| duration of hospitalization | duration of hospital stay | postoperative stay | postoperative hospital stay
	| length of postoperative stay | time to discharge | hospital length of stay | days in hospital
readmission :stay = readmission | rehospitalization | hospital readmission | readmitted
hospitaladmission :stay = hospital admission | hospitalization | hospitalizations | hospitalized | emergency department visits | ED visits
operationtime = operative time | total procedure time | time taken to perform | time to perform | duration of procedure
	| duration of the procedure | length of procedure | length of the procedure | procedure duration | operative duration
	| time required to perform | time needed to perform | colonoscopy time | insertion time | operation time | operating time
	| duration of surgery | surgery time | surgical time | length of surgery | procedure time | procedural time | examination time
	| duration of operation
cost :cost = cost | costs | cost effectiveness | ICER | cost utility | QALY | QALYs | quality adjusted life year | economic | expenditure
adherence = adherence | compliance | adherent | compliant | persistence with
acceptability = acceptability | acceptance
satisfaction = satisfaction | satisfied | patient satisfaction
intention = intention | intent | intentions | willingness | intend | readiness
attitude = attitude | attitudes | belief | beliefs | perceived | perception | perceptions | preference | preferences | self efficacy
	| decisional conflict
knowledge = knowledge | awareness
smoking = smoking cessation | abstinence | quit rate | smoking abstinence | continuous abstinence | quit smoking
alcoholuse = alcohol | drinking | heavy drinking days | alcohol consumption
physicalactivity = physical activity | MVPA | step count | steps per day | daily steps | exercise level
diet = diet | dietary intake | energy intake | food intake | nutritional intake
nutrition = nutritional status | malnutrition | nutrition | SGA | PG SGA
remission = remission | clinical remission | remitted | remission rate | inactive disease
mucosalhealing = mucosal healing | endoscopic healing | endoscopic remission | endoscopic improvement | histological healing
anastomoticleak :leak = AL | anastomotic leak | anastomotic leakage | anastomotic dehiscence | anastomosis leak | leakage | leak
	| anastomotic insufficiency | anastomotic fistula
ileus :bowelrecovery = ileus | POI | postoperative ileus | paralytic ileus | prolonged ileus
bowelrecovery :bowelrecovery = return of bowel function | recovery of bowel function | bowel function recovery
	| gastrointestinal recovery | GI recovery | time to first flatus | first flatus | flatus | time to flatus
	| time to first bowel movement | first defecation | first stool | GI 2 | gastrointestinal function
	| return of gastrointestinal function | bowel recovery | time to first defecation | passage of stool
bowelfunction :bowelrecovery = LARS | low anterior resection syndrome | anterior resection syndrome | bowel function | bowel dysfunction
	| defecatory function | anorectal function | functional bowel outcome
incontinence = incontinence | fecal incontinence | urinary incontinence | continence
stoma = stoma | ostomy | colostomy | ileostomy | stoma reversal | stoma closure | stoma complications | stoma related complications
hernia = hernia | incisional hernia | parastomal hernia | PSH
reoperation = reoperation | reintervention | reinterventions | repeat surgery | return to theater | revision surgery
conversion = conversion to open | conversion to open surgery | conversion to laparotomy | conversion rate
lymphnodes = lymph nodes | lymph node yield | lymph node harvest | harvested lymph nodes | nodal yield
specimenquality = completeness of mesorectal excision | quality of mesorectal excision | TME quality | mesorectal excision
	| specimen quality | quality of the specimen | TME
localcontrol :recurrence = local control | locoregional control | local failure | locoregional failure | locoregional recurrence
adenomadetection :detection = ADR | adenoma detection | adenoma detection rate | adenoma | adenomas | detected adenoma
	| adenomas per colonoscopy | mean number of adenomas | APC rate | neoplasia detection | neoplasia | advanced neoplasia
	| advanced adenoma | adenoma per colonoscopy | adenomas detected | detection of adenomas
polypdetection :detection = PDR | polyp detection | polyp detection rate | polyp | polyps | SSL | sessile serrated lesion
	| sessile serrated polyp | serrated lesions | detection of polyps
missrate :detection = miss rate | AMR | adenoma miss rate | missed polyps | missed adenomas | missed | polyp miss rate
	| additional detection | additional polyps | additional adenomas | second inspection | second examination
cecalintubation = CIR | CIT | cecal intubation | cecal intubation rate | cecal intubation time | time to cecum | time to reach the cecum
	| time to reach cecum
withdrawaltime = withdrawal time | colonoscope withdrawal
bowelpreparation :preparation = BBPS | Boston bowel preparation scale | bowel preparation | bowel cleansing | colon cleansing
	| bowel cleanliness | colonic cleansing | bowel prep | quality of bowel preparation | adequacy of bowel preparation
	| quality of bowel cleansing | cleansing quality | cleansing success | cleansing efficacy | bowel cleansing quality | Ottawa
	| Aronchick | Harefield | Harefield cleansing scale | adequate preparation | preparation quality | quality of preparation
	| overall cleansing | colon cleanliness | cleanliness
screening :screening = screening | screened | cancer screening | colorectal cancer screening | CRC screening | CRC testing
	| up to date with screening
stooltest :screening = !FIT | FOBT | gFOBT | iFOBT | fecal immunochemical test | fecal occult blood test | stool test | stool blood test
	| FIT kit | !FITs | fecal test | stool based test | fecal immunochemical testing
colonoscopy :screening = colonoscopy | colonoscopies | diagnostic colonoscopy | follow up colonoscopy | sigmoidoscopy | endoscopy
uptake :uptake = uptake | participation | completion | completed | complete the | completing | attendance | attended | participated
	| receipt | return of kit | response to invitation | returned | completes
diagnosticaccuracy = sensitivity | specificity | diagnostic accuracy | accuracy | diagnostic performance | PPV | NPV
	| positive predictive value | negative predictive value | ROC | AUROC
diagnosis = optical diagnosis | histology prediction | characterization
sedation = sedation | propofol | sedation depth | level of sedation | sedation level
discomfort :pain = discomfort
muscle = muscle strength | hand grip | handgrip | grip strength | hand grip strength | handgrip strength | sarcopenia
recovery = recovery | QoR | QoR 15 | QoR 40 | quality of recovery | functional recovery | return to baseline function
enrolment = recruitment | recruitment rate | accrual | accrual rate | retention | retention rate | enrolment | attrition
hotflush = hot flash | hot flashes | hot flush | hot flushes | vasomotor symptoms
sexualfunction = sexual function | sexual functioning | IIEF | FSFI | erectile function | erectile dysfunction
urinaryfunction = urinary function | IPSS | voiding | lower urinary tract symptoms | LUTS | bladder function
lesion = lesion | lesions
crc = CRC | colorectal cancer | colorectal carcinoma | colorectal neoplasms | colon cancer | rectal cancer | mCRC
	| metastatic colorectal cancer
metastasis = metastasis | metastases | metastatic | distant metastasis | liver metastases | distant failure
microbiome = microbiome | microbiota | gut flora | gut microbiota | fecal microbiota
efficacy = efficacy | effectiveness
feasibility = feasibility
tumorsize = tumor size | tumor volume | tumor shrinkage | lesion size | tumor burden
`

// faint are the terms that say whom a trial is about rather than what it measures.
var faint = map[string]bool{
	"crc": true, "recist": true, "areaundercurve": true, "visualscale": true, "biomarker": true, "lesion": true, "efficacy": true,
	"feasibility": true, "diabetes": true, "metastasis": true,
}

// contrasts are sets of families and terms. A text whose head names one of a set does not match a
// text whose head names another.
var contrasts = [][]string{
	{"progressionfree", "progression", "diseasefree", "relapsefree", "eventfree", "metastasisfree", "recurrence", "death", "cancerdeath",
		"objectiveresponse", "completeresponse", "pathologicalresponse", "diseasecontrol", "responseduration", "treatmentfailure",
		"resection", "localcontrol"},
	{":safety", ":exposure", "pharmacodynamic", "efficacy", ":immune", ":qualityoflife", "cost", "death", "progressionfree",
		"objectiveresponse", "feasibility"},
	{"systolic", "diastolic"},
	{"ldl", "hdl", "triglycerides"},
	{"hba1c", "glucose", "hypoglycemia", "insulinresistance"},
	{"depression", "anxiety", "distress"},
	{"fev1", "fvc"},
	{"auc", "cmax", "tmax", "halflife"},
	{"lengthofstay", "readmission", "hospitaladmission"},
	{"complication", "death", "lengthofstay", "pain", "qualityoflife", "bowelrecovery", "operationtime"},
	{"pain", "opioid", "nausea", "satisfaction"},
	{":detection", ":preparation", "withdrawaltime", "cecalintubation", "satisfaction", "sedation", "acceptability"},
	{"uptake", "intention", "attitude", "knowledge", ":detection", "cost"},
	{"fracture", "bonedensity"},
	{"bodyweight", "bodymassindex", "waist", "bodycomposition"},
	{"livebirth", "pregnancy", "pretermbirth", "birthweight", "miscarriage", "caesarean"},
}

// A spelling is one way to write a term.
type spelling struct {
	*term
	capitals bool // counts only if the text has capitals
}

var (
	spelt   = map[string]spelling{} // by the stems of its words, joined
	longest int                     // words of the longest spelling
	byName  = map[string]*term{}
)

func init() {
	for line := range strings.Lines(strings.ReplaceAll(strings.TrimSpace(vocabulary), "\n\t", " ")) {
		head, list, _ := strings.Cut(line, "=")
		fields := strings.Fields(head)
		t := &term{name: fields[0], families: fields[1:]}
		byName[t.name] = t
		for s := range strings.SplitSeq(list, "|") {
			s = strings.TrimSpace(s)
			marked := strings.HasPrefix(s, "!")
			s = strings.TrimPrefix(s, "!")
			var key []string
			for _, w := range words(s) {
				key = append(key, stem(w.text))
			}
			k := strings.Join(key, " ")
			if _, taken := spelt[k]; !taken {
				spelt[k] = spelling{t, marked || len(s) <= 2 && s == strings.ToUpper(s)}
			}
			longest = max(longest, len(key))
		}
	}
}
