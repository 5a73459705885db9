package demo

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// A background is where the names of a part of the staff come from.
type background struct {
	share    int // of a hundred or so
	given    string
	families string
}

// The names are written for this program, from what is common in the Netherlands. Who
// is called so is nobody in particular.
var backgrounds = []background{
	{
		52,
		"Anna Anne Anouk Annemiek Arjan Bart Bas Bram Carlijn Daan Daphne Dirk Eline Ellen Emma Erik Esther Femke Fleur Floor " +
			"Floris Frank Geert Gerard Gijs Guus Hanneke Hans Henk Hugo Ilse Ingrid Iris Jan Janneke Jasper Jeroen Jesse Joke Joost " +
			"Jorrit Judith Julia Kees Kim Koen Lars Laura Leonie Lieke Linda Lisa Lotte Luuk Maaike Maarten Manon Marieke Marijke " +
			"Mark Marloes Martijn Merel Michiel Mieke Miriam Niels Nienke Noor Olaf Paul Peter Pieter Pim Quinten Renske Rik Rob " +
			"Roos Ruben Rutger Sander Sanne Saskia Sjoerd Sophie Stef Sven Thijs Thomas Tim Tom Tjeerd Vera Willem Wouter Yvonne " +
			"Loïs Zoë Noëlle Renée André Daniël Raphaël Chloë Joëlle Michaël",
		"Bakker,Jansen,de Vries,van den Berg,van Dijk,Visser,Smit,Meijer,de Boer,Mulder,de Groot,Bos,Vos,Peters,Hendriks,van Leeuwen," +
			"Dekker,Brouwer,de Wit,Dijkstra,Smits,de Graaf,van der Meer,Kok,Jacobs,de Haan,Vermeulen,van den Heuvel,van der Veen," +
			"van den Broek,de Bruijn,Schouten,van Beek,Willems,van Vliet,Hoekstra,Maas,Verhoeven,Koster,van Dam,Prins,Blom,Huisman," +
			"Peeters,de Jonge,Kuipers,van Veen,Post,Kuiper,Veenstra,Kramer,van den Brink,Scholten,van Wijk,Postma,Martens,Vink," +
			"de Ruiter,Timmermans,Groen,Gerritsen,Jonker,van Loon,Boer,Willemsen,van Doorn,Bosch,van der Heijden,Molenaar,Kuijpers," +
			"van der Linden,Hermans,Driessen,Wolters,van 't Hof,van 't Veld,in 't Veld,op den Akker,ter Horst,ten Brink,te Winkel," +
			"'t Hooft,Knoop,Zijlstra,van Es,Spaan,Blaauw,Roelofs,Grijpstra,van Ommen,Terpstra,Wagenaar",
	},
	{
		6,
		"Aafke Aukje Bauke Doutzen Fokke Froukje Hidde Hylke Jelle Jikke Jildou Marrit Nynke Oebele Pytsje Rixt Sietse Sytske Tjitske Wietse Ymkje",
		"Bouma,Boonstra,Elzinga,Feenstra,Galema,Heeringa,Hiemstra,Jorritsma,Miedema,Nauta,Osinga,Reitsma,Sikkema,Tiemersma,Wiersma,Ypma",
	},
	{
		9,
		"Amina Ayoub Bilal Fatima Farid Hafsa Hamza Hanane Ilham Imane Ismail Karim Khadija Loubna Mohamed Nadia Naïma Nora Omar Rachid Salma Samira Soufiane Yassine Younes Zakaria",
		"Aarab,Amrani,Bakkali,Belhaj,Benali,Boulahrouz,Bouzidi,Chaoui,El Amrani,El Bouazzaoui,El Idrissi,El Khattabi,Haddou,Idrissi,Lahlou,Mansouri,Ouali,Tahiri,Yakoubi,Ziani",
	},
	{
		8,
		"Ahmet Ayşe Burak Büşra Can Cem Deniz Elif Emine Emre Esra Fatih Gül Hakan Hatice Hüseyin İpek Kemal Mehmet Merve Murat Özge Selin Serkan Tuğba Ümit Yağmur Zeynep",
		"Aksoy,Aydın,Çelik,Demir,Doğan,Erdoğan,Güneş,Kaya,Kılıç,Koç,Korkmaz,Öztürk,Polat,Şahin,Şimşek,Taş,Yıldırım,Yıldız,Yılmaz",
	},
	{
		9,
		"Anand Chantal Denzel Dewi Gaitrie Ganesh Gladys Humphrey Indra Jermaine Kavita Krishna Lakshmi Marvin Melvin Naomi Orlando Priya Radjesh Rayen Romeo Sharda Shanti Sherwin Soenita Urmila Vanessa Winston",
		"Abhelakh,Biharie,Bipat,Blokland,Chin A Foeng,Doerga,Gangaram Panday,Gopal,Graanoogst,Jharap,Jhinkoe,Kartosen,Koorndijk,Martodikromo,Pinas,Ramdin,Ramkhelawan,Resowidjojo,Rozenblad,Sardjoe,Soekhoe,Tjon A Ten,Wijdenbosch,Zeefuik",
	},
	{
		5,
		"Budi Dewi Ferry Grace Indah Joyce Lilian Max Nona Reza Ricky Roy Sinta Tirza Wim Yanti",
		"Hattu,Lawalata,Leatemia,Manuhutu,Matulessy,Pattiasina,Pattinama,Salawane,Sapulette,Tahapary,Tomasoa,Tuhumury,Wattimena,de Queljoe,van der Capellen",
	},
	{
		5,
		"Agnieszka Anna Bartosz Dariusz Ewa Grzegorz Joanna Katarzyna Krzysztof Łukasz Magdalena Małgorzata Marek Michał Paweł Piotr Stanisław Wojciech Zofia",
		"Dąbrowska,Gołębiowski,Jabłońska,Kaczmarek,Kamiński,Kowalczyk,Kowalska,Lewandowski,Majewski,Nowak,Sadowska,Wiśniewski,Woźniak,Zając,Zieliński",
	},
	{
		4,
		"Abel Aster Daniat Dawit Feven Filmon Hanna Kidane Luwam Meron Mussie Natnael Rahwa Robel Ruta Samrawit Selam Yonas",
		"Abraha,Berhane,Gebremariam,Ghebreab,Hagos,Kidane,Mehari,Okbay,Tekle,Tesfay,Weldu,Woldemichael,Zerai",
	},
	{
		5,
		"Aylin Bashar Daryna George Haya Iryna João Khaled Kateryna Leïla María Mazen Minh Ngọc Oleksandr Olena Rana Shirin Siamak Thảo Yara Wei Xiuying",
		"Abdallah,Bondarenko,Costa,Ferreira da Silva,García Fernández,Haddad,Hosseini,Kovalenko,Li,Nguyễn,Petrenko,Rahimi,Sarkis,Shevchenko,Wang,Zhang",
	},
}

// Some names are longer than any form was made for.
var longNames = []string{
	"Anne-Fleur van Rechteren Limpurg-Schimmelpenninck", "Maria Theodora Wilhelmina van den Heuvel-Oosterhuis",
	"Jan-Willem op den Kelder-van der Wouden", "Wilhelmina Johanna Catharina 't Hooft-van Benthuijsen",
	"Christiaan Frederik Lodewijk van Heemstra van Wassenaer", "Rodrigo Alexandre Ferreira da Silva e Vasconcelos",
}

// who is what HR knows of somebody, and what they are called.
type who struct {
	name     string // as they write it
	hr       string // as HR does, once in a while otherwise
	email    string
	employee string
	team     string
	lang     string
}

var teams = []string{
	"Burgerzaken", "Belastingen", "Bouwen en Wonen", "Buitenruimte", "Communicatie", "Economie", "Financiën", "Handhaving",
	"HR-services", "ICT-beheer", "Inkoop", "Jeugd en Gezin", "Juridische Zaken", "Klantcontactcentrum", "Maatschappelijke Ondersteuning",
	"Parkeren", "Sport en Cultuur", "Verkeer en Vervoer", "Werk en Inkomen", "Zorg en Veiligheid",
}

// domainName is where everybody's address is: the one that every demo admits.
const domainName = "voorbeeld.nl"

// A naming gives out names, and addresses that are nobody else's.
type naming struct {
	given, families [][]string
	shares          []int
	taken           map[string]int // how many had this address before its number
}

func newNaming() *naming {
	n := &naming{taken: map[string]int{}}
	for _, b := range backgrounds {
		n.given = append(n.given, strings.Fields(b.given))
		n.families = append(n.families, strings.Split(b.families, ","))
		n.shares = append(n.shares, b.share)
	}
	return n
}

// name makes up a name, and the address that goes with it.
func (n *naming) name(d dice) (name, email string) {
	if d.in(0.005) {
		name = pick(d, longNames)
		given, family, _ := strings.Cut(name, " ")
		return name, n.address(given, family)
	}
	from := d.weighed(n.shares)
	given := pick(d, n.given[from])
	with := from
	if d.in(0.12) { // parents of two backgrounds, or a partner's name
		with = d.weighed(n.shares)
	}
	family := pick(d, n.families[with])
	if d.in(0.06) {
		family += "-" + pick(d, n.families[d.weighed(n.shares)])
	}
	full := given
	if from == 0 && d.in(0.05) {
		full += " " + string([]rune(pick(d, n.given[0]))[0]) + "."
	}
	if d.in(0.15) {
		given = string([]rune(given)[0]) // j.devries
	}
	return full + " " + family, n.address(given, family)
}

// address makes an address of a name; the second of a name has a 2 behind it.
func (n *naming) address(given, family string) string {
	local := plain(given) + "." + plain(family)
	n.taken[local]++
	if times := n.taken[local]; times > 1 {
		local += strconv.Itoa(times)
	}
	return local + "@" + domainName
}

// unmarked are letters that do not come apart into one and a mark.
var unmarked = strings.NewReplacer("ł", "l", "Ł", "l", "ı", "i", "đ", "d", "Đ", "d", "ø", "o", "ß", "ss")

// plain writes a part of a name in the letters of an address.
func plain(name string) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(unmarked.Replace(name)) {
		switch r = unicode.ToLower(r); {
		case 'a' <= r && r <= 'z', r == '-':
			b.WriteRune(r)
		case r == ' ' && b.Len() > 0:
			b.WriteByte('.')
		}
	}
	return strings.Trim(b.String(), ".-")
}

// Where nobody can be called. No Dutch mobile number is set aside for fiction: 06-89
// is a part of the mobile range of the Dutch plan, and messages of a demo leave no
// machine. Some German ones are: those of the Bundesnetzagentur for film and
// television, which do for who lives over the border.
const dutchNumbers = "+31689"

func number(d dice) (e164, country string) {
	if d.in(0.015) {
		return "+49171392" + zeros(d.IntN(100), 4), "DE"
	}
	return dutchNumbers + zeros(d.IntN(1_000_000), 6), "NL"
}

// zeros writes a number in so many digits.
func zeros(n, digits int) string {
	s := strconv.Itoa(n)
	return strings.Repeat("0", max(0, digits-len(s))) + s
}
