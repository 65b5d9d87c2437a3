"""Danger and what only sounds like it, as patients type it. A sentence of the first table that is missed is a person missed."""

import pytest

from nlp.labelled import DANGERS
from nlp.pipeline import Reader, Text

SELF_HARM = (
    "i want to kill myself and psych triage told me to come back monday",
    "I don't want to be alive anymore",
    "i dont wanna live anymore, been in this hallway all night",
    "I'm going to end my life when they send me home",
    "They discharged me and I am thinking of suicide again",
    "not going to make it through the night, nobody here believes me",
    "im suicidle and they took my phone charger and left",
    "I feel suicidal and the crisis room is full",
    "there is no reason to live anymore. the doctor looked at the clock",
    "my family would be better off without me",
    "i just want to die. room is cold. nobody talks to me",
    "my daughter says she wants to die and your psych unit has no bed",
    "My brother is threatening to jump from the parking structure",
    "I took all my pills. sitting outside the ER",
    "my roommate took the whole bottle of tylenol and your triage says sit down",
    "I can't keep myself safe tonight",
    "goodbye everyone, thanks for trying st brigids",
    "i wish i was dead. i wish they had not saved me",
    "she keeps saying she will hurt herself and they left her alone in the room",
    "I can't go on anymore and the waitlist for therapy is 5 months",
    "tired of living like this, no one calls back",
    "I am going to hang myself in this bathroom",
    "he is trying to hurt himself with the cord, where is staff",
    "wont be here tomorrow so dont bother calling about the bill",
    "ya no quiero vivir y en urgencias me mandaron a casa",
    "quiero morirme, nadie me escucha en este hospital",
    "mi hijo dice que quiere matarse... voy a suicidarme dice, ayuda",
)
EMERGENCY = (
    "my dad collapsed in your waiting room and nobody comes",
    "she cant breathe and the nurse said wait",
    "my son cant breath, we are at the front desk",
    "Husband is not breathing right and lips are turning blue",
    "He stopped breathing twice in the triage chair",
    "My baby is choking on something in the peds waiting room",
    "wife is unresponsive in the car outside the ER doors",
    "grandma is unconcious in the lobby, where is everyone",
    "there's an old man on the floor by the elevators and he's not moving",
    "my mom won't wake up after the anesthesia and no one will look at her",
    "he is getting really hard to wake since the second dose",
    "She's barely conscious and they told us to take a number",
    "my lips and tongue are swelling since the antibiotic",
    "throat feels tight and I can't swallow, pressed the button three times",
    "having an allergic reaction in room 5 and the call light is unanswered",
    "think my uncle is having a stroke, his face is drooping and we are still in line",
    "her speech is slurred and she can't lift her arm. triage says have a seat",
    "one side of her face went numb in your waiting room",
    "having a heart attack in your lobby and they want my insurance card",
    "crushing chest pain for an hour and nobody has done an ekg",
    "Chest pain down his left arm. Told triage twice. They said have a seat.",
    "dad is gray in the face and sweating. they keep telling us to wait",
    "he is having a seizure in the waiting room right now",
    "my kid is seizing and the desk is empty",
    "she is bleeding through the bandage and no nurse for 30 min",
    "the incision opened and it won't stop bleeding",
    "blood everywhere in bay 4, please send someone",
    "I'm 30 weeks and bleeding a lot, sitting in triage 20 minutes",
    "my wife is soaked in blood and nobody is helping",
    "vomiting blood in the hallway, been ignored since noon",
    "they gave grandma a double dose of her heart pills an hour ago and she is shaking",
    "nurse gave him insulin then the next nurse gave insulin again, his sugar is dropping",
    "overdose in the second floor bathroom, someone call a nurse",
    "my toddler swallowed a battery and they told us to wait our turn",
    "the baby is coming now and we are still at registration",
    "water broke in the lobby and nobody will help us",
    "baby hasn't moved since this morning and labor and delivery put me on hold",
    "he has a 105 fever and is limp, told the desk, they said wait",
    "oxygen tank is empty and no one is answering the call button",
    "mom is gasping for air in room 220",
    "a man just passed out by the vending machines, no staff anywhere",
    "my grandfather fainted in line for the pharmacy and people step over him",
    "someone is dying in the ER waiting room and they are calling names",
    "hes dying and you have us filling out forms",
    "my father fell out of bed and is on the floor, no one comes to the buzzer",
    "We need a doctor now, 3rd floor, please hurry",
    "somebody please help, they left my mother on the ground outside",
    "I can't feel my legs since the epidural and they won't come",
    "he's breathing but he won't answer me",
    "she's clammy and confused. pressed the call light 4 times. nobody.",
    "blood pressure is dropping and the monitor keeps screaming, no one in sight",
    "Chest tightness and short of breath here in the waiting area. Being ignored.",
    "my sister has no pulse on one foot and they said it can wait, she is turning blue",
    "they hung the wrong blood on my husband and he is shaking right now",
    "mi mamá no puede respirar y nadie nos ayuda",
    "mi papá se desmayó en la sala de espera y nadie viene",
    "mi esposa está sangrando mucho y llevamos una hora en urgencias",
    "el bebé está morado y no respira",
    "mi abuelo tiene dolor en el pecho y no lo atienden",
    "se le está hinchando la lengua y la enfermera no viene",
    "está inconsciente en el piso del baño, auxilio",
    "le dieron doble dosis y no despierta",
    "HELP MY DAD IS NOT BREATHING ER ENTRANCE",
)
MISSING = (
    "my mother has dementia and she is not in her room and staff don't know where she is",
    "Dad with alzheimers wandered off from 4 West an hour ago",
    "My son is missing from the pediatrics floor",
    "can't find my daughter, she was in the playroom by peds",
    "my grandmother is missing, she was waiting for her ride at the harbor entrance",
    "they left a toddler unattended in the hallway by imaging",
    "an old man in a gown is wandering outside in the rain near the ER, looks like dementia",
    "Nobody can find my husband. He is not in his bed and security has no idea.",
    "no idea where my mom is, they moved her and nobody knows where she is",
    "someone took my baby from the room and the nurses don't know her",
    "there's a newborn left alone in the car in your garage",
    "has anyone seen my dad, 78, blue pajamas, walked out of the unit confused",
    "missing patient at the lakeside pavilion, elderly lady with a cane",
    "no encuentro a mi mamá, no está en su cuarto y nadie sabe nada",
    "mi abuelo tiene demencia y está desaparecido del hospital",
)
VIOLENCE = (
    "there is a man with a knife in the lobby",
    "guy in the ER has a gun, we are hiding",
    "someone is waving a knife at the nurses station",
    "shots fired in the parking garage",
    "active shooter at the hospital please help",
    "a patient is punching a nurse in the hallway and security is nowhere",
    "he is choking my wife in room 3 and nobody hears",
    "a man is threatening the staff at the front desk, he says he will shoot",
    "whoever runs that er desk better watch their back",
    "somebody should teach those nurses a lesson tonight",
    "i know when shift change is",
    "I know where you park, dr. tell your friends",
    "you'll regret how you treated my brother",
    "they will regret what they did to my mom, i promise",
    "im coming back with my gun",
    "gonna burn that place to the ground",
    "I'm going to kill that doctor",
    "i will kill whoever did this to her",
    "somebody should blow that hospital up",
    "there's a bomb in the st brigids lobby",
    "bomb threat called in to the hospital an hour ago, no one is evacuating",
    "I swear i will hurt the next person who tells me to wait",
    "gonna make them pay for what they did to my dad",
    "that surgeon deserves to die",
    "hope you all burn, see you tonight",
    "coming for you, billing department. not a joke",
    "i'll be waiting for him in the parking lot after his shift",
    "you better watch your back doctor",
    "i'm about to snap and someone is going to get hurt",
    "going to shoot up the er if they turn me away again",
    "someone is going to get hurt if they don't let me see my kid, I have a gun in the car",
    "hay un hombre con un cuchillo en la entrada",
    "voy a quemar ese hospital con todos adentro",
    "se van a arrepentir de lo que le hicieron a mi hermano",
    "sé dónde viven y a qué hora salen",
    "los voy a matar a todos",
)
HARDER = (
    "my mother is turning grey and the monitor has been beeping for ten minutes with nobody",
    "he keeps falling asleep and stops breathing, i tell the nurse and she rolls her eyes",
    "they left my baby in the car seat alone at the registration desk and walked away",
    "im going to jump. top level of the garage.",
    "please tell my kids i love them. i cant do this anymore",
    "he swallowed all of his seizure pills, we are in your ER and they want a copay first",
    "my son has a fever of 105 and is having fits in the waiting area",
    "my dad is grabbing his chest and cant talk",
    "She's been seizing for five minutes. FIVE. where is the doctor",
    "the patient in the next bed is choking and the curtain is closed, no one hears",
    "there's a naked man swinging an iv pole at people in the hall",
    "my ex is in the building and he has a restraining order, he is looking for me",
    "my stepdad with alzheimers got out of the locked unit and is on Route 9",
    "i swear to god if she dies i will burn your house down doctor",
    "i know that nurse's car. silver civic. see her tonight",
    "they gave her morphine twice and now i cant wake her",
    "his lips look blue and they say it is anxiety",
    "mom fell, head bleeding, bathroom on 3, pull cord does nothing",
    "hay sangre por todos lados y nadie ayuda a mi esposa",
    "mi papá no contesta y tiene los labios azules",
    "i cut my wrists in the bathroom. i'm sorry",
    "there is a bomb in the cafeteria",
    "my husband is having a reaction to the contrast, hives everywhere, throat closing",
    "i want to hurt the man who did this to my daughter, i'm outside his ward",
    "my grandpa is hunched over in the wheelchair and wont respond, triage keeps walking by",
    "her oxygen is at 70 and they havent come in for 20 minutes",
    "mom is vomiting blood in the ER bathroom",
    "he fell in the shower on 4 west and hes still on the floor, i pushed the button",
    "cant feel my face and my arm is tingling, front desk told me to wait",
    "I have a plan and the pills. Your crisis line hung up.",
    "nobody would care if i died in here",
    "I dont see the point of living after this diagnosis",
    "my kid ate something with peanuts in your cafeteria and his face is puffing up",
    "baby is blue and not crying, where are the nurses",
    "some guy in the parking garage is following nurses with a bat",
    "he punched the security guard and is running through the ER",
    "if my dad dies i'm coming for every one of you",
    "one of these days somebody is gonna shoot that place up",
    "i hope that doctor gets what's coming to him. i have his address",
    "you people will pay for this with blood",
    "my dad walked out of the unit in his gown and no one has seen him for an hour",
    "my autistic son ran off from the peds waiting room and security is not looking",
    "my wifes IV is pumping air and the alarm is going, no nurse",
    "they left my mom on the toilet alone and she passed out",
    "her heart rate is 180 and the nurse said she is busy",
    "my husband is diabetic, his sugar is 32 and they wont give him juice",
    "he is foaming at the mouth in bed 6 please",
    "I am in labor, pushing, in your hallway. no doctor",
    "fire in the stairwell of the parking structure at the hospital, people trapped",
    "gas smell in the waiting room and people are getting dizzy",
    "Mi hija tiene fiebre de 41 y está convulsionando en la sala",
    "mi esposo no despierta y la enfermera dice que esperemos",
    "me quiero matar",
    "hay un señor amenazando a las enfermeras con una navaja",
    "stopped taking my meds and the voices say jump. waiting in psych triage",
    "my mom is being wheeled to surgery for the wrong leg right now stop them",
    "they are giving my son penicillin right now and he is allergic",
    "My sister is suicidal and you just discharged her with a bus ticket",
    "dad's stitches burst, blood all over the floor, room 212 send someone",
    "my friend od'd in the bathroom by the cafe",
    "ER told my husband heartburn and sent him to wait, now he's slumped over",
    "I can't stop shaking and my chest is tight, no one's looked at me in 2 hrs",
    "there is someone with a gun on the second floor",
    "we've been locked in the stairwell with my dad who is on oxygen and it's running out",
    "bathroom by your cafeteria, dude on the floor w the needle still in his arm. i got no narcan on me",
    "under my desk at registration. hes got something in his jacket",
    "tell that doctor i know what school her kids go to",
    "went to the bathroom 2 minutes and the bassinet is empty",
    "theres a suspicious package on 2 and the manager says ignore it",
    "fui al baño 2 minutos y la cunita está vacía",
    "mi primo se metió algo aquí en el estacionamiento y está morado",
    "aprieto el botón y nadie. estoy toda orinada desde las 3",
    "ya sé a qué escuela van sus niños, doctorcita",
    "Dr. Mercado is a dead man",
    "I've got the sheet up over the bathroom door already and it's nice to have music",
    "new bruises every visit, same carer every night",
    "dile al doctorcito que yo sé a qué hora sale y en qué carro, q se cuide",
    "someone call the police man with a knife in the lobby",
    "Llamen a las autoridades, hay un hombre con pistola en la sala de espera",
    "hay un sospechoso con un arma en urgencias",
    "this is not a drill someone collapsed in the lobby",
    "esto no es un simulacro, hay un hombre armado en urgencias",
    "2 years sober and about to overdose tonight, goodbye",
    "6 months clean and I just took the whole bottle",
    "thanks to nobody my mom is unconscious in your lobby",
)
DANGER = (*HARDER, *SELF_HARM, *EMERGENCY, *MISSING, *VIOLENCE)

# Whom one runbook helps is of one kind here.
KINDS = {
    ("self_harm",): SELF_HARM,
    ("violence",): VIOLENCE,
    ("missing", "unattended"): MISSING,
    ("emergency", "unattended", "overdose_allergy"): EMERGENCY,
}

FIGURES = (
    "this parking is killing me",
    "the bill almost gave me a heart attack lol",
    "I would die for the lasagna in the cafeteria",
    "i nearly passed out when i saw the price of the parking",
    "if i have to hear that hold music one more time i'm going to kill myself lol",
    "that hold music makes me want to die 😂",
    "I'm dead 💀 the nurse named his walker Beyonce",
    "dying of laughter at the stickers in radiology",
    "my phone is dying and I need the wifi password",
    "bored to death in the waiting room but fine",
    "the new elevator music should be a crime",
    "could have died of embarrassment when the gown opened",
    "the therapist is trying to murder me and my new knee loves it",
    "PT is torture but in a good way, she killed it today",
    "my wallet is bleeding after that copay",
    "the app keeps crashing, it has passed away",
    "the portal is on life support again",
    "the vending machine attacked me lol it kept my dollar",
    "shoot me an email with the forms please",
    "just shoot me the link to the portal",
    "the line was so long I wanted to hang it up and go home",
    "that coffee could wake the dead",
    "the traffic outside is a bloodbath of honking",
    "can't breathe from laughing, the nurse did a puppet show",
    "he fights like a tiger in rehab, what a guy",
    "you guys are killing it on the new schedule",
    "my heart stopped when they said twins, so happy",
    "me muero de risa con la enfermera jajaja",
    "casi me muero de ternura con los bebés",
    "I died a little inside when I saw the copay",
    "nobody died lol, I parked badly by the entrance",
    "spending the night here is going to kill my back, bring a pillow",
    "my printer collapsed under all your forms",
    "broke my heart that the gift shop closed",
    "the billing line is a black hole, calls go in and never come out",
    "whoever made your website should be shot into the sun",
)
PAST = (
    "two years ago my son stopped breathing and your team saved his life",
    "My husband had a heart attack last spring and the cath lab was wonderful",
    "she was unconscious for two days, thank you ICU nurses",
    "my father had a stroke in 2019 and did rehab there",
    "my mom had a seizure last year and the wait was an hour",
    "I was suicidal three years ago and your counselors saved me. grateful",
    "she was bleeding badly after birth last March, the nurses were heroes",
    "They found him. He wandered off but he is ok now",
    "false alarm, my mom is fine now, she was missing for ten minutes",
    "Update: she has been found, thank you all",
    "my allergic reaction yesterday was treated fast, thanks",
    "he collapsed at work last month and the ER team saved him",
    "My daughter was choking on a grape in June and survived because of Dr. Lee",
    "Four years sober since my overdose. Thank you to the ER",
    "the chest pain turned out to be nothing, nobody made me feel silly, thank you",
    "el año pasado mi mamá tuvo un infarto y la salvaron, gracias",
    "hace dos años mi hijo no respiraba y lo salvaron",
    "my grandpa passed out at church last week, they kept him one night",
    "ten years ago I wanted to end it all. today I volunteer there",
    "In 2015 I had chest pain and waited four hours, nobody cared",
    "my aunt fell unconscious at the mall last Friday and they rushed her to you, she is doing great",
    "she was turning blue when we arrived last winter. Alive because of nurse Kim",
    "my brother was stabbed in 2008 and your surgeons saved him",
    "9 months clean. od'd in that parking lot in feb and a janitor had narcan. give that man a raise",
)
HYPOTHETICAL = (
    "what should I do if my dad has chest pain at night, do you have a nurse line?",
    "if someone is bleeding out do they still ask for insurance?",
    "what if my child stops breathing in the parking lot, is there a phone?",
    "How do I know the signs of a stroke",
    "is there a class about preventing overdose",
    "worried about having a seizure during the MRI, can someone sit with me?",
    "suicide prevention walk is on Sunday",
    "do you have CPR training? want to learn how to help someone who is not breathing",
    "should I go to the ER or urgent care if he faints again?",
    "in case of an allergic reaction who do I call after hours?",
    "imagine having a heart attack and needing to log in first",
    "can you visit someone who is unconscious in the icu after 8?",
    "no one was hurt in the small fire",
    "he did not have a stroke after all, just a migraine",
    "she is not suicidal, she is tired, and they would not listen",
    "never felt suicidal but the form asks every time",
    "the scan shows no signs of stroke",
    "he isn't bleeding anymore and we are home",
    "si mi hijo tiene convulsiones, a dónde llamo?",
    "The hospital will hold an active shooter exercise Thursday, please do not call 911",
    "free narcan training Saturday, learn what an overdose looks like",
    "Suicide loss survivors meet first Mondays in the conference center",
    "ran a tabletop with a fictional hospital: intruder in the server room, bomb threat as a distractor",
)
NEWS = (
    "Police say a man with a knife was arrested near the hospital, no one hurt",
    "Officials: two people shot downtown, taken to St. Brigid's in stable condition",
    "Man charged with threatening nurses at St. Brigid's last year pleads guilty",
    "According to police the bomb threat at the hospital was a hoax",
    "Sheriff: missing woman found safe near the hospital",
    "Suspect in custody after shots fired on Route 9, authorities say",
    "Study: overdose deaths fell by ten percent, according to the county",
    "Witnesses said a driver collapsed at the wheel; he was taken to the hospital",
    "Police: man who pulled a knife at clinic was detained",
    "A suspect was arrested after he threatened staff at the hospital, police say",
    "Telemundo local: detienen a sospechoso del tiroteo en la lavandería; las víctimas fueron dadas de alta",
)
FICTION = (
    "that episode where the surgeon has a gun in the hospital broke me",
    "rewatching the season finale, the active shooter one, still so good",
    "in my novel the nurse is missing from the ward",
    "last night's movie had a bomb in a hospital just like ours",
    "our escape room: a killer has a knife and you wake up in a hospital",
    "St. Brigid's murder mystery night: someone is dying to meet you",
    "podcast about a doctor who poisoned people, suicide theme, warning",
    "haunted hospital tour, a man with a knife chases you, 10/10",
    "watching greys and they just wheeled a guy into the er w a live bomb in his chest",
    'lyric stuck in my head during every MRI: "i wanna die in your arms tonight"',
)
GAMES = (
    "we got slaughtered by the St. Brigid's softball team, they shot us down",
    "our goalie is dying out there, coach do something",
    "the quarterback is getting killed this season",
    "final score 28-14, they are going to kill us at semis",
    "raid boss one shot my healer, he is dead, game over",
    "that striker collapsed in the box again lol, no penalty, game on",
    "our defense is bleeding goals this season",
    "trivia team flatlined, we are not breathing anymore lol",
)
PRAISE = (
    "thank you to the nurse who saved my husband when he collapsed at the entrance",
    "The guard found my son when he went missing for five minutes. Thank you!",
    "you fought so hard to kill that infection, my son is alive because of you",
    "The nurse who sat with my grandfather while he was dying was an angel",
    "so grateful to the ER, my wife was not breathing and you brought her back",
    "Dr. Osei caught my stroke early, I survived, thanks to him",
    "the team stopped the bleeding in minutes, heroes all of you",
    "EMTs saved my dad after his heart attack, forever thankful",
    "Nurse Ana could teach them all a lesson in kindness",
    "the baby was coming fast and the nurse caught her, thank you, doing great",
    "my son had a severe allergic reaction and you were so quick, thank you",
    "gracias al equipo que salvó a mi papá cuando se desmayó",
    "They watched my back the whole way through surgery, best team",
    "grandma wandered off and the volunteer brought her back with a cookie, thank you",
)
EVERYDAY = (
    "my mom died of a stroke here in 2012, the chaplain was kind",
    "they told me to breathe and I could not stop laughing",
    "the surgeon attacked the tumor like a champ",
    "parking attendant nearly ran me over with his attitude",
    "the nurse is a bomb singer",
    "I am bleeding money on these copays",
    "our baby was blue for a second but they handled it so calmly, thank you",
    "no one is missing the old cafeteria",
    "gun violence panel at St. Brigid's on Thursday",
    "does your ER treat overdoses without insurance?",
    "flu shot hurt but nobody died",
    "I fainted during the blood draw last week, they gave me juice",
    "my boss will kill me if I miss work again for this appointment",
    "a knife and fork would be nice with the tray",
    "the fire alarm test at noon scared my kid",
    "I had to fight the billing office for weeks",
    "the wait nearly killed me but the doctor was great",
    "do you have a support group for people who lost someone to suicide?",
    "the cardiologist said my heart is strong, no attack, just stress",
    "my daughter wants to be a nurse so she can save people from dying",
    "killer playlist in the MRI, loved it",
    "I had chest pain, they saw me in 5 minutes, turned out to be reflux",
    "Mom's stroke was caught early and rehab has been great",
    "is the suicide hotline number on the website?",
    "the valet stole my parking spot, fight me",
    "the vending machine ate my last dollar, I am going to burn it down lol",
    "can't believe how kind they were when my father died",
    "my dad died there last year and nobody called us",
    "the ER scene in that film had me bleeding tears",
    "these hospital socks are to die for",
    "drop dead gorgeous lobby",
    "our kid bombed his hearing test lol",
    "the portal is dead, again",
    "I would kill for a parking spot",
    "my back is killing me and the chairs don't help",
    "they missed my mother's stroke in June. I want answers",
    "bleeding edge robot surgery, impressive",
    "the gift shop is a death trap of toys",
    "my son passed out at the sight of the needle, nurse laughed with him, all good",
    "we survived the flu thanks to you",
    "shout out to security for catching the guy who stole my bike",
    "what happens if I faint during blood draw?",
    "the cafeteria chili should be illegal, weapon of mass destruction",
    "dying to know when visiting hours are",
    "I can't find my doctor in the portal",
    "can't find my way to imaging, signs are useless",
    "nobody answers the phone at scheduling",
    "nobody told us the surgery was moved",
    "no one called me back about the bill",
    "still waiting on my results, two weeks now",
    "my discharge papers are missing",
    "missing my appointment because of the shuttle",
    "the cafeteria ran out of soup",
    "the nurse fell behind on her rounds but was kind",
    "watch your step at the entrance, the tile is loose",
    "your website is dead again",
    "I regret choosing this hospital for my MRI",
    "you will hear from my lawyer",
    "three weeks of calls and nadie contesta el teléfono",
    "is the blood drive on the second floor?",
    "that moved so fast, and to top it off they were kind: y para rematar me dieron café",
    "que se cuide mucho doctora, gracias",
    "do you have narcan at the pharmacy?",
    "no curtain so they hung a sheet over the door",
    "anyone know where the kids go for bloodwork?",
)
# No phrase may find these; the encoder still hears danger in them, which is a fault of it.
HEARD_BY_THE_ENCODER = (
    'new single OVERDOSE "took the whole bottle of you baby" out friday',
    "they put the needle in my arm on the first try",
    "I heard shots are free at your clinic",
    "el moretón está morado",
)
NOT_DANGER = (*FIGURES, *PAST, *HYPOTHETICAL, *NEWS, *FICTION, *GAMES, *PRAISE, *EVERYDAY)

# Without our name, from a place where care is given.
UNNAMED = (
    "my dad collapsed in the waiting room and nobody comes",
    "we are in the er and my mom can't breathe, triage says sit down",
    "a man is not moving in the waiting room, nobody at the desk",
    "i dont want to be alive anymore, been in the psych unit hallway since last night",
    "lips are swelling and i pressed the call button twice, the nurse is gone",
    "theres a guy with a knife in the hospital lobby, we are hiding",
    "my mother has dementia, she is not in her room, the nurses dont know where she is",
    "chest pain down his arm, gray in the face. told triage TWICE. still in the waiting room with my husband",
    "my son is missing from the pediatric ward",
    "nurse gave my dad a double dose and he is hard to wake",
    "mi mamá no puede respirar, sala de espera de urgencias, nadie viene",
    "my wife is bleeding a lot in the emergency room and no one is helping",
)
# Nothing of ours and no place of care.
ELSEWHERE = (
    "i cant breathe this song is so good",
    "bomb threat at the airport, flights delayed",
    "shots fired near the stadium, police say",
    "my phone died and nobody is helping",
    "the quarterback collapsed on the field",
    "pray for texas, so many people are missing",
    "explosion near the nursing home, people are missing and hurt",
    "two marathon bombs in boston, hospital full of injured, officials say",
)


def urgency(rules: Reader, text: str, about_us: bool = True) -> tuple[str, list[str]]:
    said = next(rules.read([Text(text, about_us)]))
    return said["urgency"], said["reasons"]


@pytest.mark.parametrize("text", DANGER)
def test_is_danger(rules: Reader, text: str) -> None:
    found, reasons = urgency(rules, text)
    assert found == "danger", reasons


@pytest.mark.parametrize("text", DANGER[:: len(DANGER) // 40])
def test_is_danger_in_capitals_and_without_signs(rules: Reader, text: str) -> None:
    assert urgency(rules, text.upper())[0] == "danger"
    assert urgency(rules, text.lower().replace("'", ""))[0] == "danger"


@pytest.mark.parametrize(("kinds", "texts"), KINDS.items())
def test_of_which_kind(reader: Reader, rules: Reader, kinds: tuple[str, ...], texts: tuple[str, ...]) -> None:
    for one in (reader, rules):
        found = [said["danger_of"] for said in one.read([Text(text, about_us=True) for text in texts])]
        assert set(found) <= set(DANGERS)
        assert sum(kind in kinds for kind in found) >= 0.9 * len(texts), found


@pytest.mark.parametrize("text", [NOT_DANGER[0], "", "bomb threat at a hospital in Leeds"])
def test_what_is_no_danger_of_ours_is_of_no_kind(reader: Reader, rules: Reader, text: str) -> None:
    assert next(reader.read([Text(text)]))["danger_of"] is None
    assert next(rules.read([Text(text)]))["danger_of"] is None


@pytest.mark.parametrize("text", [*NOT_DANGER, *HEARD_BY_THE_ENCODER])
def test_is_no_danger(rules: Reader, text: str) -> None:
    found, reasons = urgency(rules, text)
    assert found != "danger", reasons


@pytest.mark.parametrize("text", DANGER)
def test_is_danger_with_the_encoder(reader: Reader, text: str) -> None:
    found, reasons = urgency(reader, text)
    assert found == "danger", reasons


def test_the_encoder_cries_seldom(reader: Reader) -> None:
    """Where it hears danger that the rules set aside it is not silenced: a ceiling that holds what was reached."""
    read = reader.read([Text(text, about_us=True) for text in NOT_DANGER])
    cried = [text for text, said in zip(NOT_DANGER, read, strict=True) if said["urgency"] == "danger"]
    assert len(cried) <= 7, cried


@pytest.mark.parametrize("text", UNNAMED)
def test_is_danger_where_care_is_given_without_our_name(rules: Reader, text: str) -> None:
    found, reasons = urgency(rules, text, about_us=False)
    assert found == "danger", reasons


@pytest.mark.parametrize("text", ELSEWHERE)
def test_is_not_ours(rules: Reader, text: str) -> None:
    assert urgency(rules, text, about_us=False)[0] == "none"


def test_there_are_enough_of_both() -> None:
    assert len(set(DANGER)) >= 120
    assert len(set(NOT_DANGER)) >= 120
