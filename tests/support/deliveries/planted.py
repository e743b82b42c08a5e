"""Identifiers planted in every place of a DICOM header that has room for one, and the search for them."""

import gzip
from dataclasses import replace
from pathlib import Path

import pydicom

PERSONAL = (
    *("PatientName", "PatientID", "OtherPatientNames", "PatientMotherBirthName", "PatientAddress"),
    *("PatientComments", "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName"),
    *("ReferringPhysicianName", "PerformingPhysicianName", "OperatorsName", "RequestingPhysician"),
    *("PhysiciansOfRecord", "NameOfPhysiciansReadingStudy", "AccessionNumber", "StudyID"),
    *("StudyDescription", "ProtocolName", "ImageComments", "StationName", "DeviceSerialNumber"),
    *("ManufacturerModelName", "SoftwareVersions", "Occupation", "EthnicGroup", "MilitaryRank"),
    *("RequestedProcedureDescription", "PerformedProcedureStepDescription", "BodyPartExamined"),
    *("AdditionalPatientHistory", "ReasonForStudy", "SequenceName", "RequestedProcedureID"),
    *(
        "DeidentificationMethod",
        "CountryOfResidence",
        "RegionOfResidence",
        "PatientTelephoneNumbers",
    ),
)
"""Keywords of texts; each gets a text of its own."""
DATES = ("PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
TIMES = ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime")
UIDS = ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")


def planted(info, number):
    """Return a series' info with identifiers of person `number` in its header."""
    word = f"Xq{number:02}"
    more = {name: f"{word}w{place:02}" for place, name in enumerate(PERSONAL)}
    more |= {name: f"19{number:02}07{place + 11}" for place, name in enumerate(DATES)}
    more |= {name: f"2359{number:02}.{place}77" for place, name in enumerate(TIMES)}
    more["Manufacturer"] = f"{word}maker"
    private = {(0x0029, 0x10): f"{word}private", (0x0051, 0x11): f"{word}coil"}
    description = f"{info.description} {word}desc"
    return replace(info, description=description, identity=f"{word}", more=more, private=private)


def identifiers(files):
    """Return all planted words, dates, times and UIDs of some DICOM files, and the files' names."""
    found = set()
    for file in files:
        header = pydicom.dcmread(file, stop_before_pixels=True)
        found |= {str(header.get(name, "")) for name in (*PERSONAL, *DATES, *TIMES, *UIDS)}
        found |= {str(header.Manufacturer), header.SeriesDescription.split()[-1]}
        found |= {str(element.value) for element in header if element.tag.is_private}
        found.add(Path(file).stem)
    return {one for one in found if len(one) > 4 and "SIMULATED" not in one}


def traces(folder, words):
    """Return (file, word) wherever a word stands in a file's name or content, unpacked where it is packed."""
    found = []
    for path in sorted(Path(folder).rglob("*")):
        content = str(path.relative_to(folder)).encode()
        if path.is_file():
            content += b"\0" + path.read_bytes()
            if path.suffix == ".gz":
                content += gzip.decompress(path.read_bytes())
        found += [(path.name, word) for word in words if word.encode() in content]
    return found
