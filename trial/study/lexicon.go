package study

import (
	"regexp"
	"strings"
)

// These are the words that tell names of people from other words, in lower case without
// accents.

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// titles are not part of a name.
var titles = setOf(`dr prof professor mr mrs ms miss mme mlle sir dame herr frau dott dottore dottoressa dra sra md phd dphil mphil
	mbbs mbchb mbbch mph msc bsc mba rn bsn msn dnp pharmd dds dmd med habil priv doz univ assoc associate assistant asst frcp frcpc frcs
	facs facc faan jr sr ii iii iv rer nat hon mres dsc scd mhs ms ma ba`)

// before are titles that stand before a name.
var before = setOf(`dr prof professor mr mrs ms mme mlle sir herr frau dott dra doctor doktor docteur investigator investigators pi rater`)

// particles come before last names and between names, and are not names by themselves.
var particles = setOf(`van von vom der den de del della dello di da do dos das du la le las los el al ul bin bint binti ibn ben abu
	abd e y zu zum zur ten ter af av mac mc st san santa saint dela dal ap`)

// generic are words in the names of desks and offices, which are not names of persons.
var generic = setOf(`administrator affairs anchor backup call care center centers centre central chair clinical clinic connect
	contact contacts coordinator coordinators ct data department dept desk development director disclosure email enquiries enquiry
	external first for from general global gov head help hospital hotline info information inquiries inquiry institute international
	investigational investigator investigators lead leader lecturer line mail management manager medical medicine monitor must number
	nurse of office officer operations phone physician please president principal program programme project public query recommended
	recruitment registry regulatory relations reporting request research responsible resident reviewer science sciences scientific
	secretary senior service services site sites specialist sponsor staff student study support team technical the toll free transparency
	trial trials university use user vice with web www com`)

// common are last and first names that are also words of titles and outcomes, or names of
// places and institutions. Alone they are not taken to be a person's name. With a first name,
// an initial or a title beside them they are.
var common = setOf(`
	academy acute adult adults africa age all alpha also alto am american amin amino an and andes angle ann any apple april are arizona
	arm armenia arms art as ash asia assessment asthma at atlanta august austin australia austria autumn back baker ball baltimore band
	bangkok bank bar barcelona base baseline bass batch bath bay be beach bean bear beard beats beijing belgium bell bench bend bergen
	berlin bern berry best beta bias birch bird birmingham birth bishop black blade bland blank blinded bliss block blood bloom blue board
	boat body bold bologna bolt bond bone bonn book bordeaux border boston both bottom bound bowel bowl bowman box brain branch brand
	brave brazil bread break breast brest bridge bright brisk bristol broad bronze brook brooks brow brown brush brussels buck bud bull
	burden burn burns bush but butcher butter by cairo california camp can canada canadian canal cancer candy cannon capital care carlo
	carpenter carrier case cash cast castle cell chain chair chamber chambers chance change channel charlotte charm chart chase check
	chest chew chicago child children chin china chinese choice christian chronic church circle city clay clean clear cleveland clinic
	close cloud coal coats coffee cohort cold cole college cologne colon colorado constant control cook cool copenhagen copper cord
	cordoba core corn cornell corner cost cotton couch count counts course court cover coxsackie crane cream creed crook crop cross crow
	crown crush ctimp cup cure curl current curry cut cycle daily dale dallas dalton daly damage dance dark date dawn day days deal dean
	dear death dedham deep deer degree dell denmark denver depth detroit dew diabetes diamond did diet disk do dock doe does dose double
	dove down drain draper dresden drink drive drop drug drum dry dublin duck duke dust duty dwell dye each ear early earth east easter
	eden edge edinburgh edmonton effect egfr egg egypt either elder elm else end england english entry essex europe european even event
	ever example exit eye face faces fair faith falcon fall farmer fast fat fay fear feeling fellow female fern ferry fever few field
	fields finch fine finger fire first fish fishman fitness five flag flank flint flood florence florida flow flower flowers flu fluid
	fly flynn focus folder foley foot for ford forest form fort foster four fox frame france frank frankfurt free freedom freeman french
	fresh freund friend frohlich from frost fruit full gain gait gallup gamble game gap garden gas gastric gate gates gault gay gem gene
	general geneva genoa georgia german germany get ghent gift gill given glasgow glass glen glove go goal gold golden good got grace
	grade grain grand grant grape grasp grass grave graves gray green greenwich grenoble grey grid grip gross ground group grove growth
	guard guest gum gun gut guy had hair half hall ham hamburg hammer hand hands hanover hard hardy hare harm harp harper hart harvest has
	hatch have haven hawk hay haze he head heal health heart heat heath hedges heidelberg held hello help hem her herb here heritage hero
	heron hessen high hill hills him hind hip his ho hoard hold holder hole holiday hollow holly holmes home honey hong hood hook hope
	horn horse host hot hour house houston how hull human hunger hunt hunter hurt ice ideal if image in index india infant inn insulin
	into iowa iran ireland iron is island israel istanbul it italian italy its ivory ivy jack jade january japan jasmine jaw jay jean
	jersey jerusalem jewel johns joint jordan joy judge july june junior just kale kansas keen keep kent kenya keto key kid kind king
	kings kit kite knee knight knot kong korea kuwait kyoto lab lake lamb lamp lance lancet land lane lapse large lark last late later law
	lawn lay lead leaf lean least leave leber leg leiden leipzig lens less let leukaemia leukemia leuven level levy liberty lie life light
	like lille lilly lily lima limb lime lin lindberg line link lion lip lisbon list lister little live liver liverpool living lobe lock
	loewe log london long lorraine loss lot love low lower luck lucky lund lung lymphoma ma mac made madrid magic magna main major make
	malaga malaysia male mali malta man manchester mango mansoura many maple march mari marine marital mark marker market marsh marshall
	mary maryland mason mass masters match mate maximum may mayer mayo me mean meaning med media medina melan melanoma melbourne melt
	member memphis mercy merit mesa messenger metal metro mexico miami michigan milan milano mild mile miles milk mill mills mind mine
	miner mini minnesota minor mint mirena mist mode model modena mole moles moment monday monk mono montana monte month montpellier
	montreal moon moor moore moral more moritz morning moss most moth mount mountain mouse mouth move much munich music must my nadir nail
	naive nancy nantes naples narrow nebraska neck need neither nerve nest netherlands neutral nevada new newborn news newton next nice
	night no noble node noon nor normal normandy north norway nose not note nottingham now nun nurse oak oakes obese off ohio omega on
	once one only onset ontario opera opus or oral orange orbit order oregon organ oslo osteo oswald other ottawa otter our out outer over
	owen own oxford oyster pace pack padova page pain paint pair pakistan pal palermo palm paper para parent parents paris park parker
	parks part partner past paste patch path patience patient patients pattern pavia peace peach peak pearl peking penn pennsylvania penny
	penta pepper per percent perfect period person peru phase philadelphia phoenix physical piece pierce pike pill pine pink piper pisa
	pittsburgh place plain plane plank plant plasma plate platelet play plum point poland pole pollard pollen polo pond pool poor pope
	port porter portion portland portugal post pot potter pound powder power powers prague prayer pre present price pride priest prima
	primary prime prince princess print prior process prostate pulse pump purple purse put qatar quality quebec queen queensland quest
	quick quiet race radio rail rain rainbow ram ramsey ranch range rank rasa rash rat rate ratio raven ray reach read reader real red
	reed reef regimen registry regular relief rennes rest retro reward rice rich richmond ride rider ridge right ring rise rising risk
	river rivers road roast robin rochester rock rod roe roll roman rome root rosa rose rota rotterdam rouen round route row royal ruby
	rule run rush russia rust sad saddle safe safety sage sail saint salamanca salmon salt samara same sample samples sana sand sands
	santander santiago santo sari saturday saudi savage save savoy saw say scale scales scar school scotland screen sea seal search season
	seattle second see seed self sell senegal sense seoul serena serum set severe seville sex shade shah shake shallow sham shanghai shape
	share sharp sharpe shave she sheep sheet sheffield shell shepard shepherd shift shin shock shoe short shot shoulder shower shows shunt
	sibling side sigma sign silk silver simple singapore singer single sites size skill skin skinner skip sky slack sleep slide slim sling
	slow small smart smell smile smoke smoker smooth snail snow so social sohag sole solid solo some son song sore soul sound south soya
	space spain spanish spark speaker spear spears speed spine spirit spleen splint spoon sport spot spring springer square squire stable
	staff stage stand stanford star stark start state states statin steady steel stein stem step sterling stern sterol steward stick stiff
	still stock stockholm stoke stoma stomach stone stones stool stop storey storm story stout straight strain strand strange strasbourg
	strawberry stream street stress stretch stride stroke strom strong student study style subject such sugar suit sum summer summers sun
	sunday surgeon swab swallow swan sweat sweden sweet swell swift swing swiss sydney table tail taipei taiwan tala tall tampa tan tang
	tank tanner taste tea teacher tear tears teller temple tempo tender tennessee term terry test texas thal than that them then thera
	there these they thick thin third this thorn those thread three throat thrush thumb thursday thus tibia tide tie tiger time timer
	times tin tip tissue titer title titre to toe tokyo toledo tone tongue tonic too tool tooth top topic torino toronto total touch tours
	tower town towns toxin trace track trail train trait trap tray treat tree trend trento triad trick trieste trim trip tropic troy trunk
	trust truth try tuck tumor tunis turin turkey turku turn turner twin two uganda ulcer uncle under union unit until up upon upper
	uppsala urban urge urine us use usher utah utrecht vaccine vagus vale valencia valley value valve van vein vena venice vera vermont
	verona versailles very vice victor victoria vida vienna vietnam view vine violet virginia vision vita vital vivo voice volume waist
	wales walk walker wall walls walter ward warden warm warner warsaw warwick was wash washington waste watch water waters watt watts
	wave wax way we wear web week weeks weight weir well wells were west what wheat wheel wheeler when where which while whip white who
	whole whom whose why wick wide will willow win wind winds wine wing winner winter winters wisconsin wise with wolf womac woman women
	wood woods wool word work working world worm worth wound wrist write yale yard year years yellow yes yet yield york young your youth
	zaragoza zero zinc zone zurich`)

// eponyms are names of scales, scores, diseases and methods. They are not a person's name where
// they are used as such: before "scale", or tied to another name ("Kaplan-Meier").
var eponyms = setOf(`
	abbott achenbach addison aldrete altman alzheimer amsel amsler angelman apfel apgar asberg ashworth asperger balke ballard balthazar
	barre barrett barthel bayley bazett bechterew beck behcet beighton berg bernoulli bethesda bieri binet blatchford bleuler bonferroni
	borg bosniak braden bradshaw brandt breslow brody bromage bruce bruininks buerger burkitt cantril castleman charcot charlson cheson
	chiari clark clavien clopper cockcroft cohen conners cormack cotrel couette cox crohn cronbach cushing dahl danlos demets dindo dixon
	doppler dravet dubowitz duchenne dukes dunnett dupuytren durie eaton edwards ehlers elixhauser engel enneking epley epworth euler
	ewing eysenck fabry fagerstrom fallot fanconi farrington ferriman fick fisher fitzpatrick fleming folstein fontaine fontan forrest
	fournier framingham fridericia friedewald friedman friedreich fugl fuhrman gallwey ganz gartland gastaut gaucher gaussian geboes gehan
	genant gilbert gleason glogau goldberg goldman goldmann gompertz gorlin gosset gram greene griffiths guillain gustilo hachinski
	haenszel hallpike hamilton harris harvey hasford hashimoto hauser heimlich hein henoch hertel hess hinchey hirschsprung hochberg
	hodgkin hoehn holm holter hopkins horner hosmer hounsfield humphrey huntington hurler hurley ishak ishihara jadad jaeger jones kaplan
	kaposi karnofsky katz kawasaki kellgren kendall kenny killip klinefelter knodell kruskal kujala kupperman kurtzke lachman lambert
	lange lansky laplace larsen lawton legendre lehane lennox lequesne levene lewy likert lugano luria lyme lynch lysholm maddrey
	mallampati mallory mankin mann manning mantel marfan markov maslach mcgill mcmaster mcnemar meier meniere merkel metavir meyer miller
	mirels montgomery morris morse morton murley murphy naughton neer newcombe noonan norton nugent oswestry outerbridge paget parkinson
	pearson poisson pompe ponseti pott prader pugh quigley ramfjord ramsay rankin ranson raynaud reiter rett rey reye richter riker
	ritchie rivermead robarts robson rockall roland romberg rorschach rosenberg ross rosser rutgeerts rutherford rutter rydel salter
	sanger schirmer schober schwab schwartz sheehan sheth silness simon simpson sjogren snellen sokal spearman spetzler spielberger
	starling steinbrocker stevens strasberg stroop takayasu tardieu tegner teichholz tinetti tourette truelove tukey turcotte turesky
	vaizey valsalva vanderbilt vineland wagner waldenstrom wallace waterlow weber wechsler wegener weibull weiss welch wexner whipple
	whitney wilcoxon willebrand willi wilms wilson wingate winkler witts wolff wong yahr zarit zollinger zung`)

// commonKeys are the keys of common.
var commonKeys = func() map[string]bool {
	set := map[string]bool{}
	for w := range common {
		set[keyOf(w)] = true
	}
	return set
}()

// organisation matches words that only names of organisations have.
var organisation = regexp.MustCompile(`(?i)(^|[^\pL])(` +
	`academ(y|ia|ic)|agen(cy|ce|zia)|alliance|analytics|army|asociaci[oó]n|associa(tion|zione|tes)|assistance|authority|azienda|` +
	`board|biosciences?|biotech\pL*|biopharma\pL*|bureau|` +
	`cancer|canc[eé]rologie|cardiolog\pL+|cent(er|re|ro|rum)|centros?|charit(y|ies|é|able)|clinic(al|s|a|as)?|cl[ií]nicas?|` +
	`collaborat(ive|ion)|college|coll[eè]ge|commi(ttee|ssion)|company|consorti(um|a)|cooperative|cooperativ[oa]|` +
	`corp(oration)?|council|department|devices|diagnostics|eli lilly|boehringer ingelheim|novo nordisk|daiichi sankyo|faculty|` +
	`facult[ée]|faculdade|f[ée]d[ée]ration|federal|federation|fondation|fondazione|forces?|foundation|fundaci\pL+|funda[cç][aã]o|` +
	`fund|` +
	`gesellschaft|gmbh|group|groupe|grupo|gruppo|gruppe|hdl|health(care)?|hoffmann-la roche|holdings?|hospices?|hospi(s|z)|` +
	`hospitals?|hospital\pL*|h[oô]pita(l|ux)|inc|initiative|innovations?|inserm|institut\pL*|instituci[oó]n|istituto|` +
	`internation(al|ale)|` +
	`kaiser permanente|klini[kc]\pL*|\pL+klinik\pL*|\pL+forschung|krankenhaus|kommune|labs?|laborator\pL+|laborat[oó]ri\pL+|` +
	`laboratoires?|league|limited|llc|llp|ltd|ltda|medicals?|medicin[ae]?|medizin\pL*|medtech|ministr(y|y of)|minist[eè]re|` +
	`national|nationale|navy|network|nhs|` +
	`oncolog(y|ie|ia)|organi[sz]ation|orthop\pL+|osped\pL+|partners?|pharma|pharmac(y|ology|euticals?|eutica|ie)|pharmazeut\pL+|plc|` +
	`polyclinic|programme|programs?|project|pty|r[ée]seau|rehabilitation|research|recherche|rigshospitalet|school|` +
	`sant[ée]|sciences?|services?|servicio|servizio|soci[ée]t(y|é|à|a)|sociedad|solutions|spedali|stiftung|sjukhus\pL*|` +
	`\pL+sjukhus\pL*|sygehus|\pL+hospital|\pL+hospitalet|sykehus\pL*|system|szpital|surgery|technolog\pL+|therapeutics?|trials|` +
	`trust|` +
	`unidad|unidade|union|unit|unit[ée]|universi\pL+|univerzit\pL+|uniwersytet|unicancer|vaccines|veterans|verein|ziekenhuis|` +
	`\pL+ziekenhuis|\pL+gesellschaft` +
	`)([^\pL]|$)`)

// legalForm matches the end of names of companies, and institution matches words in names of
// bodies. People have such initials and words too, so these two are used only for a sponsor's
// name.
var (
	legalForm = regexp.MustCompile(`(?i)[\s,](s\.?a\.?s?|s\.?r\.?l|s\.?p\.?a|b\.?v|n\.?v|a/s|a\.?b|a\.?g|oy|kk|k\.k|co|se|hf|lp|` +
		`kg)\.?$`)
	institution = regexp.MustCompile(`(^|[^\pL])(of|for|the|pour|para|fur|chu|chru|umc|uz|irccs|inserm|cnrs|helse|region|regione|` +
		`county|canton|cantonal|provincial\pL*|municip\pL+|venture|diseases|children|kinder\pL*|\pL*spital|` +
		`policl\pL+|polikl\pL+|consorci\pL*|sanita\pL+|salud|saude|\pL*gemeinschaft|\pL*verband|memorial|campus|museum|academic|` +
		`clinics|nursing|society|teaching|royal|vakf\pL+|bakanlig\pL+|hastane\pL+|dispensary)([^\pL]|$)`)
)
