package study

import (
	"regexp"
	"strings"
)

// The words by which names of people are told from other words, in lower case without
// accents.

func setOf(words string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(words) {
		set[w] = true
	}
	return set
}

// titles are no part of a name.
var titles = setOf(`dr prof professor mr mrs ms miss mme mlle sir dame herr frau dott dottore dottoressa dra sra md phd dphil mphil mbbs mbchb mbbch mph msc bsc mba rn bsn msn
	dnp pharmd dds dmd med habil priv doz univ assoc associate assistant asst frcp frcpc frcs facs facc faan jr sr ii iii iv rer nat hon mres dsc scd mhs ms ma ba`)

// before are titles that stand before a name.
var before = setOf(`dr prof professor mr mrs ms mme mlle sir herr frau dott dra doctor doktor docteur investigator investigators pi rater`)

// particles stand before last names and between names, and are no names alone.
var particles = setOf(`van von vom der den de del della dello di da do dos das du la le las los el al ul bin bint binti ibn ben abu abd e y zu zum zur ten ter af av mac mc st san santa saint dela dal ap`)

// generic are words of the names of desks and offices, which are nobody's.
var generic = setOf(`administrator affairs anchor backup call care center centers centre central chair clinical clinic connect contact contacts coordinator coordinators
	ct data department dept desk development director disclosure email enquiries enquiry external first for from general global gov head help hospital hotline info information
	inquiries inquiry institute international investigational investigator investigators lead leader lecturer line mail management manager medical medicine monitor must number nurse of
	office officer operations phone physician please president principal program programme project public query recommended recruitment registry regulatory relations reporting request
	research responsible resident reviewer science sciences scientific secretary senior service services site sites specialist sponsor staff student study support team technical the toll
	free transparency trial trials university use user vice with web www com`)

// common are last and first names that are also words of titles and outcomes, names of
// places and institutions, or names of scales, diseases and methods: alone they are
// nobody's name. With a first name, an initial or a title beside them they are.
var common = setOf(`
	abbott academy acute adult adults africa age aldrete all alpha also altman alto alzheimer am american amin amino an and andes angelman
	angle ann any apgar apple april are arizona arm armenia arms art as asberg ash ashworth asia asperger assessment asthma at atlanta august
	austin australia austria autumn back baker ball baltimore band bangkok bank bar barcelona barre barrett barthel base baseline bass batch
	bath bay bayley be beach bean bear beard beats bechterew beck behcet beighton beijing belgium bell bench bend berg bergen berlin bern
	bernoulli berry best beta bias binet birch bird birmingham birth bishop black blade bland blank bleuler blinded bliss block blood bloom
	blue board boat body bold bologna bolt bond bone bonferroni bonn book bordeaux border borg boston both bottom bound bowel bowl bowman box
	braden brain branch brand brandt brave brazil bread break breast breslow brest bridge bright brisk bristol broad bronze brook brooks brow
	brown bruininks brush brussels buck bud buerger bull burden burkitt burn burns bush but butcher butter by cairo california camp can
	canada canadian canal cancer candy cannon capital care carlo carpenter carrier case cash cast castle castleman cell chain chair chamber
	chambers chance change channel charcot charlotte charlson charm chart chase check chest chew chiari chicago child children chin china
	chinese choice christian chronic church circle city clay clean clear cleveland clinic clopper close cloud coal coats cockcroft coffee
	cohen cohort cold cole college cologne colon colorado conners constant control cook cool copenhagen copper cord cordoba core corn cornell
	corner cost cotrel cotton couch couette count counts course court cover cox coxsackie crane cream creed crohn cronbach crook crop cross
	crow crown crush ctimp cup cure curl current curry cushing cut cycle dahl daily dale dallas dalton daly damage dance danlos dark date
	dawn day days deal dean dear death dedham deep deer degree dell denmark denver depth detroit dew diabetes diamond did diet disk dixon do
	dock doe does doppler dose double dove down drain draper dravet dresden drink drive drop drug drum dry dublin duchenne duck duke dunnett
	dupuytren dust duty dwell dye each ear early earth east easter eaton eden edge edinburgh edmonton edwards effect egfr egg egypt ehlers
	either elder elm else end england english entry epworth essex euler europe european even event ever ewing example exit eye eysenck fabry
	face faces fagerstrom fair faith falcon fall fallot fanconi farmer fast fat fay fear feeling fellow female fern ferry fever few field
	fields finch fine finger fire first fish fisher fishman fitness five flag flank flint flood florence florida flow flower flowers flu
	fluid fly flynn focus folder foley folstein fontan foot for ford forest form fort foster four fournier fox frame france frank frankfurt
	free freedom freeman french fresh freund friedewald friedman friedreich friend frohlich from frost fruit fugl full gain gait gallup
	gamble game ganz gap garden gas gastaut gastric gate gates gaucher gault gaussian gay gehan gem genant gene general geneva genoa georgia
	german germany get ghent gift gilbert gill given glasgow glass gleason glen glove go goal gold goldberg golden goldman goldmann good
	gorlin got grace grade grain gram grand grant grape grasp grass grave graves gray green greene greenwich grenoble grey grid grip gross
	ground group grove growth guard guest guillain gum gun gut guy hachinski had haenszel hair half hall ham hamburg hamilton hammer hand
	hands hanover hard hardy hare harm harp harper harris hart harvest has hashimoto hatch have haven hawk hay haze he head heal health heart
	heat heath hedges heidelberg heimlich held hello help hem henoch her herb here heritage hero heron hertel hessen high hill hills him hind
	hip hirschsprung his ho hoard hodgkin hoehn hold holder hole holiday hollow holly holmes holter home honey hong hood hook hope horn
	horner horse hosmer host hot hounsfield hour house houston how hull human hunger hunt hunter huntington hurler hurt ice ideal if image in
	index india infant inn insulin into iowa iran ireland iron is ishihara island israel istanbul it italian italy its ivory ivy jack jadad
	jade january japan jasmine jaw jay jean jersey jerusalem jewel johns joint jones jordan joy judge july june junior just kale kansas
	kaplan kaposi karnofsky katz kawasaki keen keep kellgren kendall kent kenya keto key kid kind king kings kit kite klinefelter knee knight
	knot kong korea kruskal kurtzke kuwait kyoto lab lachman lake lamb lambert lamp lance lancet land lane lange lansky laplace lapse large
	lark last late later law lawn lawton lay lead leaf lean least leave leber leg legendre leiden leipzig lennox lens less let leukaemia
	leukemia leuven level levene levy lewy liberty lie life light like likert lille lilly lily lima limb lime lin lindberg line link lion lip
	lisbon list lister little live liver liverpool living lobe lock loewe log london long lorraine loss lot love low lower luck lucky lund
	lung lyme lymphoma lynch lysholm ma mac maddrey made madrid magic magna main major make malaga malaysia male mali mallampati malta man
	manchester mango mann mansoura mantel many maple march marfan mari marine marital mark marker market markov marsh marshall mary
	maryland maslach mason mass masters match mate maximum may mayer mayo mcgill mcnemar me mean meaning med media medina meier melan
	melanoma melbourne melt member memphis meniere mercy merit merkel mesa messenger metal metro mexico meyer miami michigan milan milano
	mild mile miles milk mill miller mills mind mine miner mini minnesota minor mint mirena mist mode model modena mole moles moment monday
	monk mono montana monte montgomery month montpellier montreal moon moor moore moral more moritz morning morris morse morton moss most
	moth mount mountain mouse mouth move much munich murley murphy music must my nadir nail naive nancy nantes naples narrow nebraska neck
	need neither nerve nest netherlands neutral nevada new newborn news newton next nice night no noble node noon noonan nor normal normandy
	north norton norway nose not note nottingham now nun nurse oak oakes obese off ohio omega on once one only onset ontario opera opus or
	oral orange orbit order oregon organ oslo osteo oswald oswestry other ottawa otter our out outer over owen own oxford oyster pace pack
	padova page paget pain paint pair pakistan pal palermo palm paper para parent parents paris park parker parkinson parks part partner past
	paste patch path patience patient patients pattern pavia peace peach peak pearl pearson peking penn pennsylvania penny penta pepper per
	percent perfect period person peru phase philadelphia phoenix physical piece pierce pike pill pine pink piper pisa pittsburgh place plain
	plane plank plant plasma plate platelet play plum point poland pole pollard pollen polo pompe pond pool poor pope port porter portion
	portland portugal post pot pott potter pound powder power powers prader prague prayer pre present price pride priest prima primary prime
	prince princess print prior process prostate pugh pulse pump purple purse put qatar quality quebec queen queensland quest quick quiet
	race radio rail rain rainbow ram ramsay ramsey ranch range rank rankin rasa rash rat rate ratio raven ray raynaud reach read reader real
	red reed reef regimen registry regular reiter relief rennes rest retro rett reward reye rice rich richmond richter ride rider ridge right
	ring rise rising risk river rivermead rivers road roast robin rochester rock rod roe roland roll roman rome root rorschach rosa rose
	rosenberg ross rosser rota rotterdam rouen round route row royal ruby rule run rush russia rust rutter rydel sad saddle safe safety sage
	sail saint salamanca salmon salt samara same sample samples sana sand sands sanger santander santiago santo sari saturday saudi savage
	save savoy saw say scale scales scar schirmer school schwab scotland screen sea seal search season seattle second see seed self sell
	senegal sense seoul serena serum set severe seville sex shade shah shake shallow sham shanghai shape share sharp sharpe shave she sheehan
	sheep sheet sheffield shell shepard shepherd shift shin shock shoe short shot shoulder shower shows shunt sibling side sigma sign silk
	silver simple simpson singapore singer single sites size sjogren skill skin skinner skip sky slack sleep slide slim sling slow small
	smart smell smile smoke smoker smooth snail snellen snow so social sohag sole solid solo some son song sore soul sound south soya space
	spain spanish spark speaker spear spearman spears speed spielberger spine spirit spleen splint spoon sport spot spring springer square
	squire stable staff stage stand stanford star stark start state states statin steady steel stein stem step sterling stern sterol stevens
	steward stick stiff still stock stockholm stoke stoma stomach stone stones stool stop storey storm story stout straight strain strand
	strange strasbourg strawberry stream street stress stretch stride stroke strom strong stroop student study style subject such sugar suit
	sum summer summers sun sunday surgeon swab swallow swan sweat sweden sweet swell swift swing swiss sydney table tail taipei taiwan
	takayasu tala tall tampa tan tang tank tanner taste tea teacher tear tears tegner teller temple tempo tender tennessee term terry test
	texas thal than that them then thera there these they thick thin third this thorn those thread three throat thrush thumb thursday thus
	tibia tide tie tiger time timer times tin tinetti tip tissue titer title titre to toe tokyo toledo tone tongue tonic too tool tooth top
	topic torino toronto total touch tourette tours tower town towns toxin trace track trail train trait trap tray treat tree trend trento
	triad trick trieste trim trip tropic troy trunk trust truth try tuck tukey tumor tunis turin turkey turku turn turner twin two uganda
	ulcer uncle under union unit until up upon upper uppsala urban urge urine us use usher utah utrecht vaccine vagus vale valencia valley
	valsalva value valve van vein vena venice vera vermont verona versailles very vice victor victoria vida vienna vietnam view vine vineland
	violet virginia vision vita vital vivo voice volume waist waldenstrom wales walk walker wall wallace walls walter ward warden warm warner
	warsaw warwick was wash washington waste watch water waters watt watts wave wax way we wear web weber wechsler week weeks wegener weight
	weir welch well wells were west what wheat wheel wheeler when where which while whip whipple white whitney who whole whom whose why wick
	wide wilcoxon will willebrand willi willow wilms wilson win wind winds wine wing winner winter winters wisconsin wise with wolf womac
	woman women wood woods wool word work working world worm worth wound wrist write yahr yale yard year years yellow yes yet yield
	york young your youth zaragoza zarit zero zinc zollinger zone zung zurich`)

// commonKeys are the keys of common.
var commonKeys = func() map[string]bool {
	set := map[string]bool{}
	for w := range common {
		set[keyOf(w)] = true
	}
	return set
}()

// organisation finds words that only names of organisations have.
var organisation = regexp.MustCompile(`(?i)(^|[^\pL])(` +
	`academ(y|ia|ic)|agen(cy|ce|zia)|alliance|analytics|army|asociaci[oó]n|associa(tion|zione|tes)|assistance|authority|azienda|board|biosciences?|biotech\pL*|biopharma\pL*|bureau|` +
	`cancer|canc[eé]rologie|cardiolog\pL+|cent(er|re|ro|rum)|centros?|charit(y|ies|é|able)|clinic(al|s|a|as)?|cl[ií]nicas?|collaborat(ive|ion)|college|coll[eè]ge|commi(ttee|ssion)|company|consorti(um|a)|cooperative|cooperativ[oa]|` +
	`corp(oration)?|council|department|devices|diagnostics|eli lilly|boehringer ingelheim|novo nordisk|daiichi sankyo|faculty|facult[ée]|faculdade|f[ée]d[ée]ration|federal|federation|fondation|fondazione|forces?|foundation|fundaci\pL+|funda[cç][aã]o|fund|` +
	`gesellschaft|gmbh|group|groupe|grupo|gruppo|gruppe|hdl|health(care)?|hoffmann-la roche|holdings?|hospices?|hospi(s|z)|hospitals?|hospital\pL*|h[oô]pita(l|ux)|inc|initiative|innovations?|inserm|institut\pL*|instituci[oó]n|istituto|internation(al|ale)|` +
	`kaiser permanente|klini[kc]\pL*|\pL+klinik\pL*|\pL+forschung|krankenhaus|kommune|labs?|laborator\pL+|laborat[oó]ri\pL+|laboratoires?|league|limited|llc|llp|ltd|ltda|medicals?|medicin[ae]?|medizin\pL*|medtech|ministr(y|y of)|minist[eè]re|national|nationale|navy|network|nhs|` +
	`oncolog(y|ie|ia)|organi[sz]ation|orthop\pL+|osped\pL+|partners?|pharma|pharmac(y|ology|euticals?|eutica|ie)|pharmazeut\pL+|plc|polyclinic|programme|programs?|project|pty|r[ée]seau|rehabilitation|research|recherche|rigshospitalet|school|` +
	`sant[ée]|sciences?|services?|servicio|servizio|soci[ée]t(y|é|à|a)|sociedad|solutions|spedali|stiftung|sjukhus\pL*|\pL+sjukhus\pL*|sygehus|\pL+hospital|\pL+hospitalet|sykehus\pL*|system|szpital|surgery|technolog\pL+|therapeutics?|trials|trust|` +
	`unidad|unidade|union|unit|unit[ée]|universi\pL+|univerzit\pL+|uniwersytet|unicancer|vaccines|veterans|verein|ziekenhuis|\pL+ziekenhuis|\pL+gesellschaft` +
	`)([^\pL]|$)`)

// legalForm ends names of companies; people have such initials.
var legalForm = regexp.MustCompile(`(?i)[\s,](s\.?a\.?s?|s\.?r\.?l|s\.?p\.?a|b\.?v|n\.?v|a/s|a\.?b|a\.?g|oy|kk|co)\.?$`)
